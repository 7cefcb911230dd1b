import { findTempIsos, type FoundDrive, type FoundTempIso, type FoundTempIsos } from "../host/find-temp-isos";
import type { ReachedPool } from "../host/reach-pool";
import { harmOf } from "./corpse";
import { EXIT, type ExitStatus } from "./exit";
import { durationText, sizeText } from "../text/units";
import { count, print, table } from "./print";

/** What `list` is asked for. */
export interface ListOptions {
  readonly srMountPaths: readonly string[];
  readonly isJson: boolean;
}

/** Prints every temporary ISO; returns `found` if one on a host that was looked at should be removed. */
export async function list(
  { speaker: { host }, others }: ReachedPool,
  { srMountPaths, isJson }: ListOptions,
): Promise<ExitStatus> {
  const found = await findTempIsos(host, srMountPaths, others);
  print(isJson ? toJson(host.address, found) : toText(host.address, found));
  return found.tempIsos.some(isToBeCleaned) ? EXIT.found : EXIT.done;
}

/** A table with a line for each. */
export function tableOf(tempIsos: readonly FoundTempIso[], hostNames: ReadonlyMap<string, string>): string {
  const head = ["STATE", "AGE", "SIZE", "SR", "DRIVES", "FOLDER", "OWNER"];
  return table([head, ...tempIsos.map((found) => rowOf(found, hostNames))]);
}

/** Whether nobody works on it and no VM can use it. */
function isToBeCleaned({ state, isReached, isUnderWay }: FoundTempIso): boolean {
  return isReached && state !== "live" && state !== "partial" && !isUnderWay;
}

/** What `list` prints. */
export function toText(address: string, found: FoundTempIsos): string {
  const { tempIsos, hostNames, hostUuid } = found;
  const title = `${count(tempIsos.length, "temporary ISO")} on ${address} (host ${hostUuid})`;
  if (tempIsos.length === 0) return title;
  const harm = tempIsos.flatMap((each) =>
    harmOf(each, found).map((text) => `  ${each.srs[0]?.uuid ?? each.folderUuid}  ${text}`),
  );
  const harmPart = harm.length === 0 ? [] : ["", "What its corpses do to the host:", ...harm];
  return [title, "", tableOf(tempIsos, hostNames), ...harmPart].join("\n");
}

/** What `list --json` prints. */
export function toJson(address: string, found: FoundTempIsos): string {
  const { hostUuid, hostNames, isHaEnabled, tempIsos } = found;
  const entries = tempIsos.map((each) => ({ ...each, harm: harmOf(each, found) }));
  const host = { address, uuid: hostUuid, name: hostNames.get(hostUuid), isHaEnabled };
  return JSON.stringify({ host, tempIsos: entries }, null, 2);
}

function rowOf(found: FoundTempIso, hostNames: ReadonlyMap<string, string>): string[] {
  const { state, isUnderWay, ageSeconds, sizeBytes, srs, drives, srPath, owner } = found;
  return [
    `${state}${isUnderWay ? " (under way)" : ""}${placeOf(found, hostNames)}`,
    ageSeconds === undefined ? "-" : durationText(ageSeconds),
    sizeBytes === undefined ? "-" : sizeText(sizeBytes),
    srs.map(({ uuid }) => uuid).join(", ") || "-",
    drives.map(driveText).join(", ") || "-",
    srPath ?? found.folderUuid,
    owner ?? "-",
  ];
}

function placeOf(
  { state, isShared, isHere, hostUuid = "", folderHostUuids, lackingHostUuids }: FoundTempIso,
  hostNames: ReadonlyMap<string, string>,
): string {
  const nameOf = (uuid: string) => hostNames.get(uuid) ?? "a host that is not known";
  if (isShared)
    return state === "partial"
      ? ` (whole pool, without ${lackingHostUuids.map(nameOf).join(", ")})`
      : " (whole pool)";
  if (folderHostUuids.length > 1) return ` on ${folderHostUuids.map(nameOf).join(", ")}`;
  return isHere ? "" : ` on ${nameOf(hostUuid)}`;
}

function driveText({ vmName, powerState }: FoundDrive): string {
  return `${vmName} (${powerState ?? "snapshot or template"})`;
}
