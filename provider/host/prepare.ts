import type { ExecResult } from "../ssh/exec";
import { retry } from "../ssh/retry";
import { lines, type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { HostError } from "./error";
import {
  EXIT,
  failed,
  FILE,
  type Folder,
  hostUuidOf,
  IDENTIFY,
  NOTE_WRITER,
  pathOf,
  QUICK_TIMEOUT_MS,
  refuseLink,
  valueOf,
} from "./folder";
import { READ_MARKER } from "./marker";
import { report } from "./progress";
import { MEASURE_ROOM, noRoom } from "./room";

/** What a folder is made for; its marker says the same. */
export interface FolderPurpose {
  /** URN of the resource. */
  readonly owner: string;
  /** File name of the image, once it is whole. */
  readonly isoName: string;
  readonly sizeBytes: number;
  /** Of the image, lower-case hex, where the host may have it already. */
  readonly twinSha256?: string;
}

/** What is known of the host after the folder was made. */
export interface Prepared {
  /** INSTALLATION_UUID. */
  readonly hostUuid: string;
  /** A file on the host that should have the same content. */
  readonly twin?: Twin;
  /** Thrown by who has to upload after all: the host has no room for it. */
  readonly noRoom?: HostError;
}

/** A file on a host, as it was when it was looked at. */
export interface Twin {
  /** Absolute, on the host. */
  readonly path: string;
  /** Inode, size in bytes, time of its last change. */
  readonly identity: string;
}

/** Folders of the same resource whose makers were killed stand in the way. */
export class AbandonedError extends Error {
  override readonly name = "AbandonedError";

  constructor(readonly abandoned: readonly { readonly folder: Folder; readonly isoName: string }[]) {
    super("An earlier create of the same resource was cut off.");
  }
}

/** How long a create waits for another one of the same resource. */
const OWNER_BUSY = { firstPauseMs: 2_000, growth: 1.3, longestPauseMs: 5_000, budgetMs: 90_000 };

/**
 * Makes the folder (mode 700: an image can hold secrets) and its marker. The marker counts as long as the SSH
 * session that made it lives and its lease is touched: whoever finds it otherwise finds an abandoned folder.
 *
 * @throws {@link HostError} `NOT_A_XENSERVER`, `NO_ROOM`, `FOLDER_FAILED`, `OWNER_BUSY` when another create of
 *   the same resource is still at work
 * @throws {@link AbandonedError} with nothing made
 */
export function prepareFolder(
  host: SharedConnection,
  folder: Folder,
  purpose: FolderPurpose,
): Promise<Prepared> {
  return onceOwnerIsDone(async () => {
    const options = { purpose: "make the folder", timeoutMs: QUICK_TIMEOUT_MS };
    return readPrepared(host, folder, purpose, await host.exec(prepareScript(folder, purpose), options));
  });
}

/** Waits while another create of the same resource is at work. */
export function onceOwnerIsDone<T>(attempt: () => Promise<T>): Promise<T> {
  const isPassing = (error: unknown) => {
    const isBusy = error instanceof HostError && error.code === "OWNER_BUSY";
    if (isBusy) report({ step: "waiting for another create of the same resource" });
    return isBusy;
  };
  return retry({ ...OWNER_BUSY, isPassing }, attempt);
}

/**
 * One command: whoever makes a folder here has to see the others' markers, and they his, so it holds a lock on
 * `srMountPath` meanwhile. It looks only into folders whose names are UUIDs and that are no mounts: a dead NFS
 * mount hangs whoever looks into it. Of many folders none costs a process of its own.
 *
 * Behind it the shell is in the new folder.
 */
export function prepareScript(
  folder: Folder,
  { owner, isoName, sizeBytes, twinSha256 = "" }: FolderPurpose,
): Script {
  return lines(
    IDENTIFY,
    READ_MARKER,
    refuseLink(folder.srMountPath, EXIT.folderFailed),
    sh`[ -d ${folder.srMountPath} ] || mkdir -p -- ${folder.srMountPath}
cd -P -- ${folder.srMountPath} && exec 9<. && flock -w 30 9 || exit ${EXIT.folderFailed}
newline='
' pending= twin= promised=0 live= abandoned=
read -r -d '' mounts </proc/self/mounts
set --
for name in ????????-????-????-????-????????????; do
  [[ $name =~ ^[0-9a-f-]{36}$ ]] || continue
  case $mounts in *"/$name "*) continue ;; esac
  [ ! -L "$name" ] || continue
  if [ -f "$name"/${FILE.pending} ]; then
    pending="$pending $name"
    set -- "$@" "$name"/${FILE.pending} "$name"/${FILE.upload}
  fi
  if [ -n ${twinSha256} ] && [ -f "$name"/${FILE.image} ]; then
    { read -r sha256 && read -r size && IFS= read -r iso; } <"$name"/${FILE.image}
    if [ "$sha256" = ${twinSha256} ] && [ "$size" = ${sizeBytes} ] && [ -f "$name/$iso" ] && [ ! -L "$name/$iso" ]; then
      twin=$name/$iso
    fi
  fi
done
[ $# -eq 0 ] || { files=$newline$(stat -c '%n %Y %s' -- "$@" 2>/dev/null); now=$(date +%s); }
for name in $pending; do
  read_marker "$name"
  sent=0
  if [[ $files =~ $newline$name/${FILE.pending}\ ([0-9]+) ]]; then touched=\${BASH_REMATCH[1]}; else continue; fi
  if [[ $files =~ $newline$name/${FILE.upload}\ [0-9]+\ ([0-9]+) ]]; then sent=\${BASH_REMATCH[1]}; fi
  if is_held $((now - touched)); then
    [ "$owner" != ${owner} ] || live=$name
    [ "$size" -le "$sent" ] || promised=$((promised + size - sent))
  elif [ "$owner" = ${owner} ]; then
    echo "abandoned=$name/$iso"
    abandoned=1
  fi
done
[ -z "$live" ] || { echo "live=$live"; exit ${EXIT.ownerBusy}; }
[ -z "$abandoned" ] || exit ${EXIT.abandoned}`,
    MEASURE_ROOM,
    sh`needed=${sizeBytes}
if [ -n "$twin" ] && identity=$(stat -c '%i %s %y' -- "$twin"); then
  echo "twin=$twin"
  echo "identity=$identity"
  needed=0
fi
has_room ${sizeBytes} || { echo room=short; [ "$needed" = 0 ] || exit ${EXIT.noRoom}; }
umask 077
start_of $PPID
mkdir -- ${folder.uuid} && cd -- ${folder.uuid} || exit ${EXIT.folderFailed}
printf '%s\n' owner=${owner} iso=${isoName} "size=$needed" session=$PPID "started=$start" >${FILE.pending} || exit ${EXIT.folderFailed}
exec 9<&-`,
    NOTE_WRITER,
  );
}

/**
 * Reads what {@link prepareScript} has said.
 *
 * @throws what {@link prepareFolder} does
 */
export function readPrepared(
  host: SharedConnection,
  folder: Folder,
  purpose: FolderPurpose,
  result: ExecResult,
): Prepared {
  const hostUuid = hostUuidOf(host, result);
  const { status, stdout } = result;
  const { srMountPath } = folder;
  const image = { sizeBytes: purpose.sizeBytes, srMountPath };
  if (status === EXIT.ownerBusy) {
    const message =
      `Another run is making ${purpose.owner} on ${host.address} (${srMountPath}/${valueOf(stdout, "live")}). ` +
      `Wait until it has ended, then run the command again.`;
    throw new HostError("OWNER_BUSY", host.address, message);
  }
  if (status === EXIT.abandoned) throw new AbandonedError(readAbandoned(stdout, srMountPath));
  if (status === EXIT.noRoom) throw noRoom(stdout, image, host.address);
  if (status === EXIT.folderFailed) {
    const message =
      `The folder ${pathOf(folder)} could not be made on ${host.address}. ` +
      `Check that ${srMountPath} is a folder on a file system that can be written, or set another srMountPath.`;
    throw failed(host, "FOLDER_FAILED", message, result);
  }
  const twin = valueOf(stdout, "twin");
  return {
    hostUuid,
    ...(twin && { twin: { path: `${srMountPath}/${twin}`, identity: valueOf(stdout, "identity") } }),
    ...(valueOf(stdout, "room") && { noRoom: noRoom(stdout, image, host.address) }),
  };
}

function readAbandoned(stdout: string, srMountPath: string): AbandonedError["abandoned"] {
  return [...stdout.matchAll(/^abandoned=([^/\n]+)\/(.*)$/gm)].map(([, uuid = "", isoName = ""]) => ({
    folder: { srMountPath, uuid },
    isoName,
  }));
}
