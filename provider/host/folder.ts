import type { ExecResult } from "../ssh/exec";
import { lines, type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { uploadFile, uploadFileBySftp } from "../ssh/upload";
import { HostError, type HostErrorCode } from "./error";
import type { Room } from "./room";

/** A resource's own folder on the host. */
export interface Folder {
  /** Absolute folder on the host that holds the folders of this package. */
  readonly srMountPath: string;
  /** Its name: chosen for this one resource, so that nobody else's work is ever found by it. */
  readonly uuid: string;
}

/** Absolute path on the host. */
export function pathOf({ srMountPath, uuid }: Folder): string {
  return srMountPath === "/" ? `/${uuid}` : `${srMountPath}/${uuid}`;
}

/** The folder of which {@link pathOf} is the path. */
export function folderAt(path: string): Folder {
  const slash = path.lastIndexOf("/");
  return { srMountPath: path.slice(0, slash) || "/", uuid: path.slice(slash + 1) };
}

/** Where the image lies until it is whole: a scan takes only `*.iso` and `*.img`. */
const UPLOAD = "upload";

/** Says whose folder it is and how large its image will be, from the first moment until the SR is known. */
const PENDING = "pending";

/** How long after its last touch a pending marker still stands for an upload under way, in seconds. */
const LEASE_SECONDS = 60;

const QUICK_TIMEOUT_MS = 60_000;

/** A slow disk takes minutes for some GiB. */
const SYNC_TIMEOUT_MS = 10 * 60_000;

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
 * Makes the folder (mode 700: an image can hold secrets) and its marker.
 *
 * @param owner URN of the resource
 * @returns what is known of the host and its space, uploads under way counted
 * @throws {@link HostError} `NOT_A_XENSERVER`, `FOLDER_FAILED`
 */
export async function makeFolder(
  host: SharedConnection,
  folder: Folder,
  image: { owner: string; sizeBytes: number },
): Promise<{ hostUuid: string; room: Room }> {
  const { srMountPath } = folder;
  const path = pathOf(folder);
  const script = lines(
    IDENTIFY,
    sh`mkdir -p -- ${srMountPath} && cd -- ${srMountPath} || exit 4
umask 077
mkdir -- ${path} && printf 'owner=%s\nsize=%s\n' ${image.owner} ${image.sizeBytes} >${path}/${PENDING} || exit 4
echo "df=$(df -P -k -- ${srMountPath} | tail -n 1)"
echo "file-system=$(stat -f -c %T -- ${srMountPath})"
sed -n 's/^MemAvailable: *\([0-9]*\) kB$/memory=\1/p' /proc/meminfo
promised=0
now=$(date +%s)
mounts=$(cat /proc/self/mounts)
for name in ????????-????-????-????-????????????; do
  # A dead NFS mount hangs whoever looks into it.
  case "$mounts" in *"/$name "*) continue ;; esac
  [ "$name" != ${folder.uuid} ] && [ -f "$name"/${PENDING} ] || continue
  touched=$(stat -c %Y "$name"/${PENDING}) && [ $((now - touched)) -lt ${LEASE_SECONDS} ] || continue
  size=$(sed -n 's/^size=\([0-9]*\)$/\1/p' "$name"/${PENDING})
  sent=$(stat -c %s "$name"/${UPLOAD} 2>/dev/null) || sent=0
  promised=$((promised + size - sent))
done
echo "promised=$promised"`,
  );
  const result = await host.exec(script, { purpose: "make the folder", timeoutMs: QUICK_TIMEOUT_MS });
  const hostUuid = hostUuidOf(host, result);
  if (result.status !== 0) {
    const advice = `Check that ${srMountPath} is a folder on a file system that can be written, or set another srMountPath.`;
    throw failed(
      host,
      "FOLDER_FAILED",
      `The folder ${path} could not be made on ${host.address}. ${advice}`,
      result,
    );
  }
  return { hostUuid, room: readRoom(result.stdout) };
}

/**
 * Streams the image into the folder, under another name until it is known to be whole: a killed client looks
 * like the end of the file over there, and the local file may have changed since it was hashed.
 *
 * @throws {@link HostError} `UPLOAD_INCOMPLETE`, `IMAGE_CHANGED`
 */
export async function uploadImage(
  host: SharedConnection,
  folder: Folder,
  image: { localPath: string; sha256: string; isoName: string },
): Promise<void> {
  const path = pathOf(folder);
  const { sent, arrivedBytes, result } = await send(host, path, image.localPath);
  if (result.status !== 0 || arrivedBytes !== sent.sizeBytes) {
    const message =
      `The image did not arrive whole on ${host.address}: ${arrivedBytes} of ${sent.sizeBytes} bytes. ` +
      `Check the space in ${folder.srMountPath}, and that root's .bashrc does not read standard input, then run the command again.`;
    throw failed(host, "UPLOAD_INCOMPLETE", message, result);
  }
  if (sent.sha256 !== image.sha256) {
    const message = `${image.localPath} changed while the program ran. Run the command again once nothing writes to it.`;
    throw new HostError("IMAGE_CHANGED", host.address, message);
  }
  const rename = sh`mv -T -- ${path}/${UPLOAD} ${path}/${image.isoName}`;
  const renamed = await host.exec(rename, { purpose: "name the image", timeoutMs: QUICK_TIMEOUT_MS });
  if (renamed.status !== 0)
    throw failed(
      host,
      "FOLDER_FAILED",
      `The image could not be named ${image.isoName} on ${host.address}. Check ${path} there.`,
      renamed,
    );
}

/** Sends the image and brings it to the host's disk; says how much of it is there. */
async function send(host: SharedConnection, path: string, localPath: string) {
  // dd syncs this one file: a bare sync would flush every mounted SR, and hang on a dead NFS.
  const piped = await uploadFile(
    host,
    localPath,
    writer(path, sh`dd bs=1M of=${UPLOAD} conv=fsync status=none`),
  );
  const arrivedBytes = Number(piped.result.stdout);
  if (piped.result.status !== 0 || arrivedBytes === piped.sent.sizeBytes) return { ...piped, arrivedBytes };

  // The script was content with less: a start-up file of the root shell has read the rest.
  const sent = await uploadFileBySftp(host, localPath, `${path}/${UPLOAD}`);
  const sync = writer(path, sh`dd of=${UPLOAD} conv=notrunc,fsync status=none </dev/null`);
  const result = await host.exec(sync, { purpose: "sync the image", timeoutMs: SYNC_TIMEOUT_MS });
  return { sent, result, arrivedBytes: Number(result.stdout) };
}

/** Runs `dd` in the folder and prints the size of what is there then. */
function writer(path: string, dd: Script): Script {
  // The marker is touched while bytes come, so that this upload counts as under way.
  return sh`umask 077
cd -- ${path} || exit
(while sleep 10 && touch -c ${PENDING}; do :; done) </dev/null >/dev/null 2>&1 &
${dd}
status=$?
kill $!
stat -c %s ${UPLOAD}
exit $status`;
}

/** Says that the resource is complete: its folder no longer counts as an upload under way. */
export async function removeMarker(host: SharedConnection, folder: Folder): Promise<void> {
  const script = sh`rm -f -- ${pathOf(folder)}/${PENDING}`;
  await host.exec(script, { purpose: "remove the marker", timeoutMs: QUICK_TIMEOUT_MS });
}

/**
 * Removes what this package put into the folder, by name, and the folder. Nothing to do when it is gone.
 *
 * @throws {@link HostError} `FOLDER_NOT_OURS` when a link stands in its place, or it holds something else
 */
export async function removeFolder(host: SharedConnection, folder: Folder, isoName: string): Promise<void> {
  const path = pathOf(folder);
  const result = await host.exec(
    sh`[ ! -L ${path} ] || { echo 'it is a link' >&2; exit 5; }
[ -d ${path} ] || exit 0
cd -- ${path} && rm -f -- ${[isoName, UPLOAD, PENDING]} || exit 5
rmdir -- ${path} || { ls -A >&2; exit 5; }`,
    { purpose: "remove the folder", timeoutMs: QUICK_TIMEOUT_MS },
  );
  if (result.status === 0) return;
  const advice = `Remove from it by hand what is not needed, then run the command again.`;
  throw failed(
    host,
    "FOLDER_NOT_OURS",
    `The folder ${path} on ${host.address} could not be removed. ${advice}`,
    result,
  );
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
  const [there, size] = result.stdout.split("\n");
  return { isThere: there === "folder", ...(size ? { imageBytes: Number(size) } : {}) };
}

const IDENTIFY: Script = sh`command -v xe >/dev/null && [ -r /etc/xensource-inventory ] || exit 3
sed -n "s/^INSTALLATION_UUID='\(.*\)'/host-uuid=\1/p" /etc/xensource-inventory`;

function hostUuidOf(host: SharedConnection, { status, stdout }: ExecResult): string {
  const uuid = valueOf(stdout, "host-uuid");
  if (status !== 3 && uuid) return uuid;
  const message = `${host.address} is no XenServer or XCP-ng host: it has no \`xe\` or no /etc/xensource-inventory. Check connection.host; it has to name the host itself (dom0), not a VM on it.`;
  throw new HostError("NOT_A_XENSERVER", host.address, message);
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

function failed(
  host: SharedConnection,
  code: HostErrorCode,
  message: string,
  { stderr }: ExecResult,
): HostError {
  return new HostError(
    code,
    host.address,
    stderr.trim() ? `${message} The host says: ${stderr.trim()}` : message,
  );
}
