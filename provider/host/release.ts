import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { QUICK_TIMEOUT_MS } from "./error";
import { findTempIso } from "./find-temp-iso";
import { mountPathsOnHost } from "./find-temp-isos";
import { DEFAULT_SR_MOUNT_PATH } from "./folder";
import { identify } from "./identify";
import { valueOf } from "./protocol";
import { remote } from "./remote";
import type { TempIso } from "./temp-iso";

/** A disc to release. */
export type ReleasedDisc = TempIso & { readonly isShared?: boolean };

/**
 * Finds a disc by its SR, or, if an earlier release of it was cut off once the SR was forgotten, by the mark in its
 * folder.
 *
 * @returns undefined when nothing is left to release
 * @throws as {@link findTempIso}
 */
export async function findDiscToRelease(
  host: SharedConnection,
  srUuid: string,
): Promise<ReleasedDisc | undefined> {
  return (await findTempIso(host, srUuid)) ?? (await findMarkedFolder(host, srUuid));
}

/**
 * Marks the folder of a disc before anything of it is removed, so that {@link findDiscToRelease} finds it without its SR.
 * A full disk must not keep a release from freeing it, so a mark that cannot be written is no failure.
 */
export async function markReleased(
  host: SharedConnection,
  { srPath, srUuid = "", owner, isoName, isShared }: ReleasedDisc,
): Promise<void> {
  const script = remote(sh`mark_released ${srPath} ${srUuid} ${owner} ${isoName} ${isShared ? "true" : ""}`);
  await host.exec(script, { purpose: "mark the folder", timeoutMs: QUICK_TIMEOUT_MS });
}

async function findMarkedFolder(host: SharedConnection, srUuid: string): Promise<ReleasedDisc | undefined> {
  const hostUuid = await identify(host);
  const mountPaths = [DEFAULT_SR_MOUNT_PATH, ...(await mountPathsOnHost(host, hostUuid))];
  const script = remote(sh`find_released ${srUuid} ${mountPaths}`);
  const { stdout } = await host.exec(script, { purpose: "look for folders", timeoutMs: QUICK_TIMEOUT_MS });
  const srPath = valueOf(stdout, "path");
  const owner = valueOf(stdout, "owner");
  const isoName = valueOf(stdout, "iso");
  if (srPath === undefined || owner === undefined || isoName === undefined) return undefined;
  const isShared = valueOf(stdout, "shared") !== undefined;
  return { owner, isoName, isoSize: 0, srPath, hostUuid, srUuid, isShared };
}
