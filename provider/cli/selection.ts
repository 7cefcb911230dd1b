import type { FoundTempIso } from "../host/find-temp-isos";
import type { NamedDiscs } from "./stack-export";

/** Which temporary ISOs a sweep selects. */
export type Selector =
  | { readonly by: "stack"; readonly stack: string; readonly project: string | undefined }
  | { readonly by: "owner"; readonly urn: string }
  /** UUIDs of SRs, or of folders. */
  | { readonly by: "uuid"; readonly uuids: readonly string[] }
  | { readonly by: "pending" }
  | { readonly by: "lost" };

/** What decides whether a selected temporary ISO is removed. */
export interface Evidence {
  /** From an export of the stack; undefined if there is none. */
  readonly named: NamedDiscs | undefined;
  /** Whether to take discs out of the drives of running VMs. */
  readonly isEjecting: boolean;
}

/** A selected temporary ISO that stays. */
export interface Kept {
  readonly found: FoundTempIso;
  readonly reason: string;
  /** Whether it stays because a state has it, as intended. */
  readonly isHeld: boolean;
}

/** What a sweep removes, what it asks about one by one, and what it leaves although selected. */
export interface Selection {
  readonly removals: readonly FoundTempIso[];
  /**
   * Only the URN in their description says that they belong to the stack or resource. Other stacks can have the
   * same URN.
   */
  readonly doubtful: readonly FoundTempIso[];
  readonly kept: readonly Kept[];
}

/** Decides about each that is on a host that was looked at. */
export function select(tempIsos: readonly FoundTempIso[], selector: Selector, evidence: Evidence): Selection {
  const selected = tempIsos.filter((found) => found.isReached && isSelected(found, selector));
  const kept = selected.flatMap((found) => reasonToKeep(found, evidence) ?? []);
  const rest = selected.filter((found) => !kept.some((each) => each.found === found));
  const isDoubtful = (found: FoundTempIso) => isByUrn(selector) && !isUnfinished(found, evidence);
  return {
    removals: rest.filter((found) => !isDoubtful(found)),
    doubtful: rest.filter(isDoubtful),
    kept,
  };
}

/** Whether it was selected by a URN, which proves nothing. */
export function isByUrn({ by }: Selector): boolean {
  return by === "stack" || by === "owner";
}

/** Whether the export says that the stack began to make it. */
function isUnfinished(found: FoundTempIso, { named }: Evidence): boolean {
  return named !== undefined && uuidsOf(found).some((uuid) => named.unfinished.has(uuid));
}

/** The UUIDs that identify it. */
export function uuidsOf({ folderUuid, srs }: FoundTempIso): string[] {
  return [folderUuid, ...srs.map(({ uuid }) => uuid)];
}

/** The projects of some temporary ISOs, each once: stacks of several projects often have the same name. */
export function projectsOf(tempIsos: readonly FoundTempIso[]): string[] {
  return [...new Set(tempIsos.flatMap(({ owner }) => owner?.split("::")[1] ?? []))];
}

/** Whether two reads found the same thing: only what was confirmed is removed. */
export function isSame(one: FoundTempIso, other: FoundTempIso): boolean {
  return one.state === other.state && uuidsOf(one).join() === uuidsOf(other).join();
}

function isSelected(found: FoundTempIso, selector: Selector): boolean {
  const { state, owner } = found;
  switch (selector.by) {
    case "stack":
      return owner !== undefined && isOfStack(owner, selector);
    case "owner":
      return owner === selector.urn;
    case "uuid":
      return uuidsOf(found).some((uuid) => selector.uuids.includes(uuid));
    case "pending":
      return state === "pending";
    case "lost":
      return state === "corpse" || state === "folder without SR";
  }
}

/** `urn:pulumi:<stack>::<project>::…` */
function isOfStack(urn: string, { stack, project }: { stack: string; project: string | undefined }): boolean {
  const [ofStack = "", ofProject] = urn.split("::");
  return ofStack === `urn:pulumi:${stack}` && (project === undefined || ofProject === project);
}

function reasonToKeep(found: FoundTempIso, { named, isEjecting }: Evidence): Kept | undefined {
  const because = (reason: string, isHeld = false) => ({ found, reason, isHeld });
  if (uuidsOf(found).some((uuid) => named?.held.has(uuid))) return because("the stack export names it", true);
  if (found.isUnderWay) return because("another run is making it");
  const holder = found.drives.find(({ powerState }) => powerState === "running" || powerState === "paused");
  if (holder && !isEjecting)
    return because(
      `the ${holder.powerState ?? ""} VM ${holder.vmName} has it in its drive; add --eject to take it out`,
    );
  return undefined;
}
