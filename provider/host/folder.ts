import type { ExecResult } from "../ssh/exec";
import { lines, type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { HostError, type HostErrorCode } from "./error";
import { START_OF } from "./process";

/** A resource's own folder on the host. */
export interface Folder {
  /** Absolute folder on the host that holds the folders of this package. */
  readonly srMountPath: string;
  /** Its name: chosen for this one resource, so that nobody else's work is ever found by it. */
  readonly uuid: string;
}

/** On disk, so that a reboot of the host harms nothing; xapi keeps its own one-off ISOs beside it. */
export const DEFAULT_SR_MOUNT_PATH = "/var/opt/xen-iso";

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
  /** Process id and start of each script that works in the folder, a line each. */
  writers: "writers",
  /** Says whose folder it is, from the first moment until its SR is known. */
  pending: "pending",
  /**
   * Sha256, size and name of the image, a line each, once it is whole: by this its twins find it. A fourth line says
   * that the making of its SR has begun.
   */
  image: "image",
} as const;

/** The fourth line of {@link FILE.image}. */
export const SR_BEGUN = "sr";

/** For a command that neither moves an image nor waits for the toolstack. */
export const QUICK_TIMEOUT_MS = 60_000;

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
 * Says that the resource is complete: its folder is no longer pending. With its marker it would be cleared by
 * the next create of the resource.
 *
 * @throws {@link HostError} `FOLDER_FAILED`
 */
export async function removeMarker(host: SharedConnection, folder: Folder): Promise<void> {
  const script = lines(sh`cd -- ${pathOf(folder)}`, REMOVE_MARKER);
  const result = await host.exec(script, { purpose: "remove the marker", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status !== 0) throw markerStays(host, folder, result);
}

/** The marker cannot be removed. */
export function markerStays(host: SharedConnection, folder: Folder, result: ExecResult): HostError {
  const message = `The marker in ${pathOf(folder)} on ${host.address} could not be removed. Check the file system there.`;
  return failed(host, "FOLDER_FAILED", message, result);
}

/** Removes the marker of the folder it is in; a renewal that is under way does not make it anew. */
export const REMOVE_MARKER: Script = sh`rm -f -- ${[FILE.pending, FILE.writers]}`;

/** Notes the script that works in the folder it is in, so that it can be ended when nobody waits for it. */
export const NOTE_WRITER: Script = lines(START_OF, sh`start_of $$; echo "$$ $start" >>${FILE.writers}`);

/** Ends scripts whose client is gone: they may still hold the file, and with it the space, or go on. */
const STOP_WRITERS: Script = lines(
  START_OF,
  sh`while read -r pid started; do
  [ -n "$started" ] && [ "$pid" != "$$" ] && start_of "$pid" && [ "$start" = "$started" ] && kill -9 -- "-$pid"
done <${FILE.writers} 2>/dev/null`,
);

/** How far the making of a disc has come in a folder, and that nothing goes on in it any more. */
export type Stage =
  /** There is no folder. */
  | "nothing"
  /** Perhaps with a part of the image. */
  | "folder"
  /** The image is whole. */
  | "image"
  /** Whoever made it has begun to make the SR. */
  | "sr";

/**
 * Ends what still runs in a folder behind a link that is lost.
 *
 * @throws {@link HostError} `FOLDER_FAILED`
 */
export async function takeOver(host: SharedConnection, folder: Folder): Promise<Stage> {
  const path = pathOf(folder);
  const script = lines(
    sh`[ ! -L ${folder.srMountPath} ] && cd -- ${folder.srMountPath} 2>/dev/null || exit 0
exec 9<. && flock -w 30 9 || exit 1
[ -d ${path} ] && [ ! -L ${path} ] && cd -- ${path} || exit 0`,
    STOP_WRITERS,
    sh`if [ ! -f ${FILE.image} ]; then echo folder
elif [ "$(sed -n 4p ${FILE.image})" = ${SR_BEGUN} ]; then echo sr
else echo image
fi`,
  );
  const result = await host.exec(script, { purpose: "look at the folder", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status !== 0) throw cannotLook(host, path, result);
  return (result.stdout.trim() || "nothing") as Stage;
}

/**
 * Removes what this package put into the folder, by name, and the folder. Nothing to do when it is gone.
 *
 * It waits for the lock under which folders are made: the making that is undone here may still go on over there,
 * behind a link that is lost.
 *
 * @throws {@link HostError} `FOLDER_NOT_OURS` when a link stands in its place, or in that of `srMountPath`, or it
 * holds something else
 */
export async function removeFolder(host: SharedConnection, folder: Folder, isoName: string): Promise<void> {
  const path = pathOf(folder);
  const script = removeScript(folder, isoName);
  const result = await host.exec(script, { purpose: "remove the folder", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status === 0) return;
  const message =
    `The folder ${path} on ${host.address} could not be removed. ` +
    `Remove by hand what is in it and not needed, then run the command again.`;
  throw failed(host, "FOLDER_NOT_OURS", message, result);
}

/** See {@link removeFolder}. */
export function removeScript(folder: Folder, isoName: string): Script {
  const path = pathOf(folder);
  return lines(
    sh`cd -- ${folder.srMountPath} 2>/dev/null || exit 0
[ ! -e ${path} ] || { ${refuseLink(folder.srMountPath, EXIT.notRemoved)}; }
exec 9<. && flock -w 15 9 || { echo 'Another run keeps it locked.' >&2; exit ${EXIT.notRemoved}; }
[ ! -L ${path} ] || { echo 'It is a link.' >&2; exit ${EXIT.notRemoved}; }
[ -d ${path} ] && cd -- ${path} || exit 0`,
    STOP_WRITERS,
    sh`rm -f -- ${[isoName, ...Object.values(FILE)]} || exit ${EXIT.notRemoved}
rmdir -- ${path} || { ls -A >&2; exit ${EXIT.notRemoved}; }`,
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
[ ! -f ${path}/${isoName} ] || stat -c %s -- ${path}/${isoName} || [ ! -e ${path}/${isoName} ]`,
    { purpose: "look at the folder", timeoutMs: QUICK_TIMEOUT_MS },
  );
  if (result.status !== 0) throw cannotLook(host, path, result);
  const [there, size] = result.stdout.split("\n");
  return { isThere: there === "folder", ...(size ? { imageBytes: Number(size) } : {}) };
}

/** An error with the host's own words behind it. */
export function failed(
  host: SharedConnection,
  code: HostErrorCode,
  message: string,
  { stderr }: Pick<ExecResult, "stderr">,
): HostError {
  const words = stderr.trim();
  return new HostError(code, host.address, words ? `${message} The host says: ${words}` : message);
}

/** Exit statuses of the scripts, beside the shell's own. */
export const EXIT = {
  notXenServer: 3,
  folderFailed: 4,
  notRemoved: 5,
  ownerBusy: 6,
  abandoned: 7,
  noRoom: 8,
  notWhole: 9,
  // 10 says that `xe` failed (xe/iso-sr.ts).
  imageFailed: 11,
} as const;

/** Sets `host_uuid`, and prints it. */
export const IDENTIFY: Script = sh`command -v xe >/dev/null && [ -r /etc/xensource-inventory ] || exit ${EXIT.notXenServer}
host_uuid=$(sed -n "s/^INSTALLATION_UUID='\(.*\)'/\1/p" /etc/xensource-inventory)
echo "host-uuid=$host_uuid"`;

/**
 * Nothing is made or removed through a link in the place of `srMountPath`: one that was there could not be told
 * from one that was put there since. A link above it is fine: /var/run is one.
 */
export function refuseLink(srMountPath: string, status: number): Script {
  return sh`[ ! -L ${srMountPath} ] || { echo ${srMountPath} is a link to "$(readlink -f -- ${srMountPath})". >&2; exit ${status}; }`;
}

/** What {@link IDENTIFY} has printed. */
export function hostUuidOf(host: SharedConnection, { status, stdout }: ExecResult): string {
  const uuid = valueOf(stdout, "host-uuid");
  if (status !== EXIT.notXenServer && uuid) return uuid;
  const message =
    `${host.address} is no XenServer or XCP-ng host: it has no \`xe\` or no /etc/xensource-inventory. ` +
    `Check connection.host; it has to name the host itself (dom0), not a VM on it.`;
  throw new HostError("NOT_A_XENSERVER", host.address, message);
}

/** The value of a `name=value` line. */
export function valueOf(stdout: string, name: string): string {
  return new RegExp(`^${name}=(.*)$`, "m").exec(stdout)?.[1] ?? "";
}

function cannotLook(host: SharedConnection, path: string, result: ExecResult): HostError {
  const message = `The folder ${path} on ${host.address} could not be looked at. Check the file system there.`;
  return failed(host, "FOLDER_FAILED", message, result);
}
