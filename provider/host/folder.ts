import type { ExecResult } from "../ssh/exec";
import { retry } from "../ssh/retry";
import { lines, type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { HostError, type HostErrorCode } from "./error";
import type { Room } from "./room";

/** A resource's own folder on the host. */
export interface Folder {
  /** Absolute folder on the host that holds the folders of this package. */
  readonly srMountPath: string;
  /** Its name: chosen for this one resource, so that nobody else's work is ever found by it. */
  readonly uuid: string;
}

/** What a folder is made for; its marker says the same. */
export interface FolderPurpose {
  /** URN of the resource. */
  readonly owner: string;
  /** File name of the image, once it is whole. */
  readonly isoName: string;
  readonly sizeBytes: number;
}

/** What is known of the host after the folder was made. */
export interface MadeFolder {
  /** INSTALLATION_UUID. */
  readonly hostUuid: string;
  readonly room: Room;
  /** Folders of the same resource whose makers were killed. */
  readonly abandoned: readonly { readonly folder: Folder; readonly isoName: string }[];
}

/** Absolute path on the host. */
export function pathOf({ srMountPath, uuid }: Folder): string {
  return `${srMountPath}/${uuid}`;
}

/** The folder of which {@link pathOf} is the path. */
export function folderAt(path: string): Folder {
  const slash = path.lastIndexOf("/");
  return { srMountPath: path.slice(0, slash), uuid: path.slice(slash + 1) };
}

/** Names in the folder beside the image's; a scan takes only `*.iso` and `*.img`. */
export const FILE = {
  /** The image until it is whole. */
  upload: "upload",
  /** Process id and start of the script that writes it. */
  writer: "writer",
  /** Says whose folder it is, from the first moment until its SR is known. */
  pending: "pending",
} as const;

/** How long after its last touch a pending marker still stands for somebody who works, in seconds. */
const LEASE_SECONDS = 60;

/** How long a create waits for another one of the same resource. */
const OWNER_BUSY = { firstPauseMs: 2_000, growth: 1.3, longestPauseMs: 5_000, budgetMs: 90_000 };

const QUICK_TIMEOUT_MS = 60_000;

/**
 * The host's own INSTALLATION_UUID: what `host-uuid=` wants, whatever its role in the pool.
 *
 * @throws {@link HostError} `NOT_A_XENSERVER`
 */
export async function identify(host: SharedConnection): Promise<string> {
  const result = await host.exec(IDENTIFY, { purpose: "identify the host", timeoutMs: QUICK_TIMEOUT_MS });
  return hostUuidOf(host, result);
}

/**
 * Makes the folder (mode 700: an image can hold secrets) and its marker. The marker counts as long as the SSH
 * session that made it lives and its lease is touched: whoever finds it otherwise finds an abandoned folder.
 *
 * @throws {@link HostError} `NOT_A_XENSERVER`, `FOLDER_FAILED`, `OWNER_BUSY` when another create of the same
 * resource is still at work
 */
export async function makeFolder(
  host: SharedConnection,
  folder: Folder,
  purpose: FolderPurpose,
): Promise<MadeFolder> {
  const isPassing = (error: unknown) => error instanceof HostError && error.code === "OWNER_BUSY";
  return retry({ ...OWNER_BUSY, isPassing }, async () => {
    const result = await host.exec(makeScript(folder, purpose), {
      purpose: "make the folder",
      timeoutMs: QUICK_TIMEOUT_MS,
    });
    const hostUuid = hostUuidOf(host, result);
    const { srMountPath } = folder;
    if (result.status === EXIT.ownerBusy) {
      const message =
        `Another run is making ${purpose.owner} on ${host.address} (${srMountPath}/${valueOf(result.stdout, "live")}). ` +
        `Wait until it has ended, then run the command again.`;
      throw new HostError("OWNER_BUSY", host.address, message);
    }
    if (result.status !== 0) {
      const message =
        `The folder ${pathOf(folder)} could not be made on ${host.address}. ` +
        `Check that ${srMountPath} is a folder on a file system that can be written, or set another srMountPath.`;
      throw failed(host, "FOLDER_FAILED", message, result);
    }
    return { hostUuid, room: readRoom(result.stdout), abandoned: readAbandoned(result.stdout, srMountPath) };
  });
}

/** Says that this SSH session still works in these folders (absolute paths); a new one takes over from a lost one. */
export async function renewMarkers(host: SharedConnection, paths: readonly string[]): Promise<void> {
  const markers = paths.map((path) => `${path}/${FILE.pending}`);
  const script = sh`for marker in ${markers}; do
  [ ! -f "$marker" ] || sed -i "s/^session=.*/session=$PPID/; s/^started=.*/started=$(ps -o lstart= -p $PPID)/" "$marker"
done`;
  await host.exec(script, { purpose: "renew the markers", timeoutMs: QUICK_TIMEOUT_MS });
}

/**
 * Says that the resource is complete: its folder is no longer pending. With its marker it would be cleared by
 * the next create of the resource.
 *
 * @throws {@link HostError} `FOLDER_FAILED`
 */
export async function removeMarker(host: SharedConnection, folder: Folder): Promise<void> {
  const path = pathOf(folder);
  const script = sh`rm -f -- ${path}/${FILE.pending} ${path}/${FILE.writer}`;
  const result = await host.exec(script, { purpose: "remove the marker", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status === 0) return;
  const message = `The marker in ${path} on ${host.address} could not be removed. Check the file system there.`;
  throw failed(host, "FOLDER_FAILED", message, result);
}

/**
 * Removes what this package put into the folder, by name, and the folder. Nothing to do when it is gone.
 *
 * It waits for the lock under which folders are made: the making that is undone here may still go on over there,
 * behind a link that is lost.
 *
 * @throws {@link HostError} `FOLDER_NOT_OURS` when a link stands in its place, or it holds something else
 */
export async function removeFolder(host: SharedConnection, folder: Folder, isoName: string): Promise<void> {
  const path = pathOf(folder);
  const result = await host.exec(
    sh`cd -- ${folder.srMountPath} 2>/dev/null || exit 0
exec 9<. && flock -w 15 9 || { echo 'Another run keeps it locked.' >&2; exit 5; }
[ ! -L ${path} ] || { echo 'It is a link.' >&2; exit 5; }
[ -d ${path} ] && cd -- ${path} || exit 0
${STOP_WRITER}
rm -f -- ${[isoName, ...Object.values(FILE)]} || exit 5
rmdir -- ${path} || { ls -A >&2; exit 5; }`,
    { purpose: "remove the folder", timeoutMs: QUICK_TIMEOUT_MS },
  );
  if (result.status === 0) return;
  const message =
    `The folder ${path} on ${host.address} could not be removed. ` +
    `Remove by hand what is in it and not needed, then run the command again.`;
  throw failed(host, "FOLDER_NOT_OURS", message, result);
}

/**
 * What is left of the folder and its image.
 *
 * @returns the image's size in bytes, `undefined` when the folder is there without it
 */
export async function lookAtFolder(
  host: SharedConnection,
  folder: Folder,
  isoName: string,
): Promise<{ isThere: boolean; imageBytes?: number }> {
  const path = pathOf(folder);
  const result = await host.exec(
    sh`[ -d ${path} ] && [ ! -L ${path} ] || exit 0
echo folder
[ ! -f ${path}/${isoName} ] || stat -c %s -- ${path}/${isoName}`,
    { purpose: "look at the folder", timeoutMs: QUICK_TIMEOUT_MS },
  );
  if (result.status !== 0) {
    const message = `The folder ${path} on ${host.address} could not be looked at. Check the file system there.`;
    throw failed(host, "FOLDER_FAILED", message, result);
  }
  const [there, size] = result.stdout.split("\n");
  return { isThere: there === "folder", ...(size ? { imageBytes: Number(size) } : {}) };
}

/** An error with the host's own words behind it. */
export function failed(
  host: SharedConnection,
  code: HostErrorCode,
  message: string,
  { stderr }: ExecResult,
): HostError {
  const words = stderr.trim();
  return new HostError(code, host.address, words ? `${message} The host says: ${words}` : message);
}

/** Ends a writer whose client is gone: it may still hold the file, and with it the space, or add to it. */
export const STOP_WRITER: Script = sh`if read -r pid started <${FILE.writer}; then
  [ -n "$started" ] && [ "$(ps -o lstart= -p "$pid")" = "$started" ] && kill -9 -- "-$pid"
fi 2>/dev/null`;

const EXIT = { notXenServer: 3, folderFailed: 4, ownerBusy: 6 } as const;

const IDENTIFY: Script = sh`command -v xe >/dev/null && [ -r /etc/xensource-inventory ] || exit ${EXIT.notXenServer}
sed -n "s/^INSTALLATION_UUID='\(.*\)'/host-uuid=\1/p" /etc/xensource-inventory`;

/**
 * One command: whoever makes a folder here has to see the others' markers, and they his, so it holds a lock on
 * `srMountPath` meanwhile. It looks only into folders whose names are UUIDs and that are no mounts: a dead NFS
 * mount hangs whoever looks into it.
 */
function makeScript(folder: Folder, { owner, isoName, sizeBytes }: FolderPurpose): Script {
  return lines(
    IDENTIFY,
    sh`mkdir -p -- ${folder.srMountPath} && cd -- ${folder.srMountPath} && exec 9<. && flock -w 30 9 || exit ${EXIT.folderFailed}
marker() { sed -n "s/^$1=//p" "$name"/${FILE.pending}; }
now=$(date +%s) promised=0 live=
mounts=$(cat /proc/self/mounts)
for name in ????????-????-????-????-????????????; do
  case "$mounts" in *"/$name "*) continue ;; esac
  [ ! -L "$name" ] && touched=$(stat -c %Y "$name"/${FILE.pending} 2>/dev/null) || continue
  if [ $((now - touched)) -lt ${LEASE_SECONDS} ] && [ "$(ps -o lstart= -p "$(marker session)")" = "$(marker started)" ]; then
    [ "$(marker owner)" != ${owner} ] || live=$name
    sent=$(stat -c %s "$name"/${FILE.upload} 2>/dev/null) || sent=0
    promised=$((promised + $(marker size) - sent))
  elif [ "$(marker owner)" = ${owner} ]; then
    echo "abandoned=$name/$(marker iso)"
  fi
done
echo "promised=$promised"
[ -z "$live" ] || { echo "live=$live"; exit ${EXIT.ownerBusy}; }
umask 077
mkdir -- ${folder.uuid} || exit ${EXIT.folderFailed}
printf '%s\n' owner=${owner} iso=${isoName} size=${sizeBytes} session=$PPID "started=$(ps -o lstart= -p $PPID)" >${folder.uuid}/${FILE.pending} || exit ${EXIT.folderFailed}
echo "df=$(df -P -k -- "$(pwd -P)" | tail -n 1)"
echo "file-system=$(stat -f -c %T -- "$(pwd -P)")"
sed -n 's/^MemAvailable: *\([0-9]*\) kB$/memory=\1/p' /proc/meminfo`,
  );
}

function hostUuidOf(host: SharedConnection, { status, stdout }: ExecResult): string {
  const uuid = valueOf(stdout, "host-uuid");
  if (status !== EXIT.notXenServer && uuid) return uuid;
  const message =
    `${host.address} is no XenServer or XCP-ng host: it has no \`xe\` or no /etc/xensource-inventory. ` +
    `Check connection.host; it has to name the host itself (dom0), not a VM on it.`;
  throw new HostError("NOT_A_XENSERVER", host.address, message);
}

function readAbandoned(stdout: string, srMountPath: string): MadeFolder["abandoned"] {
  return [...stdout.matchAll(/^abandoned=([^/\n]+)\/(.*)$/gm)].map(([, uuid = "", isoName = ""]) => ({
    folder: { srMountPath, uuid },
    isoName,
  }));
}

function readRoom(stdout: string): Room {
  // Filesystem, 1024-blocks, Used, Available, Capacity, Mounted on; the first and the last may hold blanks.
  const [, total, , available] = /\s(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s/.exec(valueOf(stdout, "df")) ?? [];
  return {
    totalBytes: Number(total) * 1024,
    availableBytes: Number(available) * 1024,
    fileSystem: valueOf(stdout, "file-system"),
    memoryAvailableBytes: Number(valueOf(stdout, "memory")) * 1024,
    promisedBytes: Number(valueOf(stdout, "promised")),
  };
}

/** The value of a `name=value` line. */
function valueOf(stdout: string, name: string): string {
  return new RegExp(`^${name}=(.*)$`, "m").exec(stdout)?.[1] ?? "";
}
