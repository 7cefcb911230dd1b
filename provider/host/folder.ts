import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { HostError, QUICK_TIMEOUT_MS, withHostWords } from "./error";
import { valueOf } from "./protocol";
import { remote } from "./remote";

/** A resource's own folder on the host. */
export interface Folder {
  /** Absolute path on the host of the folder that holds this one. */
  readonly srMountPath: string;
  /** Its name: chosen for this resource alone, so that it never matches the work of another. */
  readonly uuid: string;
}

/** On disk, so that it survives a reboot. xapi keeps its own temporary ISOs in the same parent folder. */
export const DEFAULT_SR_MOUNT_PATH = "/var/opt/xen-iso";

/** Whether it is an absolute path without a trailing slash, as a folder to search is given. */
export function isMountPath(path: string): boolean {
  return /^(\/[^/\p{Cc}]+)+$/u.test(path);
}

/** Absolute path on the host. */
export function pathOf({ srMountPath, uuid }: Folder): string {
  return `${srMountPath}/${uuid}`;
}

/** The folder at this path; the inverse of {@link pathOf}. */
export function folderAt(path: string): Folder {
  const slash = path.lastIndexOf("/");
  return { srMountPath: path.slice(0, slash), uuid: path.slice(slash + 1) };
}

/** Files in the folder besides the image. A scan takes only `*.iso` and `*.img`. */
export const FILE = {
  /** The image until it is whole. */
  upload: "upload",
  /** PID and start time of each script that works in the folder. */
  writers: "writers",
  /** The marker: names the owner of the folder until the disc is complete. */
  pending: "pending",
  /** The record that marks the image complete; see `remote/image.sh`. */
  image: "image",
  /** The mark of a release that has begun; see `remote/release.sh`. */
  released: "released",
} as const;

/** How far a create has got; see `take_over` in `remote/folder.sh`. */
export type Stage = "nothing" | "folder" | "image" | "sr";

/**
 * Ends the scripts that still run in a folder after the link was lost.
 *
 * @returns how far it had come
 * @throws {@link HostError} `FOLDER_FAILED`
 */
export async function takeOver(host: SharedConnection, { srMountPath, uuid }: Folder): Promise<Stage> {
  const script = remote(sh`take_over ${srMountPath} ${uuid}`);
  const result = await host.exec(script, { purpose: "look at the folder", timeoutMs: QUICK_TIMEOUT_MS });
  const stage = valueOf(result.stdout, "stage");
  if (result.status !== 0 || !stage) throw cannotLook(host, `${srMountPath}/${uuid}`, result);
  return stage as Stage;
}

/**
 * Removes the marker: the disc is complete. With its marker, the next create of the same resource would clear
 * the folder.
 *
 * @throws {@link HostError} `FOLDER_FAILED`
 */
export async function removeMarker(host: SharedConnection, folder: Folder): Promise<void> {
  const script = remote(sh`remove_marker ${pathOf(folder)}`);
  const result = await host.exec(script, { purpose: "remove the marker", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status !== 0) throw markerStays(host, folder, result);
}

/** The marker cannot be removed. */
export function markerStays(
  host: SharedConnection,
  folder: Folder,
  result: { readonly stderr: string },
): HostError {
  const message = `The marker in ${pathOf(folder)} on ${host.address} could not be removed. Check the file system there.`;
  return new HostError("FOLDER_FAILED", host.address, withHostWords(message, result));
}

/**
 * Removes what this package put into the folder, by name, and the folder. Succeeds if it is gone already.
 *
 * @throws {@link HostError} `FOLDER_NOT_OURS` if a link stands in its place, or in that of `srMountPath`, or it
 * holds something else
 */
export async function removeFolder(host: SharedConnection, folder: Folder, isoName: string): Promise<void> {
  const { srMountPath, uuid } = folder;
  const script = remote(sh`remove_folder ${srMountPath} ${uuid} ${isoName}`);
  const result = await host.exec(script, { purpose: "remove the folder", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status !== 0) throw folderStays(host, folder, result);
}

/** The folder cannot be removed. */
export function folderStays(
  host: SharedConnection,
  folder: Folder,
  result: { readonly stderr: string },
): HostError {
  const message =
    `The folder ${pathOf(folder)} on ${host.address} could not be removed. ` +
    `Remove what is in it by hand if it is not needed, then run the command again.`;
  return new HostError("FOLDER_NOT_OURS", host.address, withHostWords(message, result));
}

/**
 * Looks for the folder and its image.
 *
 * @returns `imageBytes`, the size of the image; undefined if the folder is there without it. `isReleased`: whether a
 * release of the disc has begun
 * @throws {@link HostError} `FOLDER_FAILED`
 */
export async function lookAtFolder(
  host: SharedConnection,
  folder: Folder,
  isoName: string,
): Promise<{ isThere: boolean; isReleased: boolean; imageBytes?: number }> {
  const script = remote(sh`look_at_folder ${pathOf(folder)} ${isoName}`);
  const result = await host.exec(script, { purpose: "look at the folder", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status !== 0) throw cannotLook(host, pathOf(folder), result);
  const bytes = valueOf(result.stdout, "image");
  return {
    isThere: valueOf(result.stdout, "folder") !== undefined,
    isReleased: valueOf(result.stdout, "released") !== undefined,
    ...(bytes && { imageBytes: Number(bytes) }),
  };
}

function cannotLook(host: SharedConnection, path: string, result: { readonly stderr: string }): HostError {
  const message = `The folder ${path} on ${host.address} could not be read. Check the file system there.`;
  return new HostError("FOLDER_FAILED", host.address, withHostWords(message, result));
}
