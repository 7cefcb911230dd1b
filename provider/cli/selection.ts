import type { FoundTempIso } from "../host/find-temp-isos";

/** Which temporary ISOs a sweep is about. */
export type Selector =
  | { readonly by: "stack"; readonly stack: string; readonly project: string | undefined }
  | { readonly by: "owner"; readonly urn: string }
  | { readonly by: "pending" }
  | { readonly by: "lost" };

/** What is left alone. */
export interface Exceptions {
  /** UUIDs of SRs and folders that a state names. */
  readonly named: ReadonlySet<string>;
  /** Whether discs are taken out of the drives of running VMs. */
  readonly isEjecting: boolean;
}

/** One that is selected and stays all the same. */
export interface Kept {
  readonly found: FoundTempIso;
  readonly reason: string;
  /** Because a state names it, which is what was asked for. */
  readonly isNamed: boolean;
}

/** What a sweep removes, and what it leaves though it is selected. */
export interface Selection {
  readonly removals: readonly FoundTempIso[];
  readonly kept: readonly Kept[];
}

/** Decides about each. Those on other hosts of the pool are none of a sweep's. */
export function select(
  tempIsos: readonly FoundTempIso[],
  selector: Selector,
  exceptions: Exceptions,
): Selection {
  const selected = tempIsos.filter((found) => found.isHere && isSelected(found, selector));
  const kept = selected.flatMap((found) => reasonToKeep(found, exceptions) ?? []);
  return { removals: selected.filter((found) => !kept.some((each) => each.found === found)), kept };
}

/** The projects to which temporary ISOs belong, each once: stacks of several projects often have one name. */
export function projectsOf(tempIsos: readonly FoundTempIso[]): string[] {
  return [...new Set(tempIsos.flatMap(({ owner }) => owner?.split("::")[1] ?? []))];
}

/** Whether two looks saw the same thing: what was confirmed is what is removed. */
export function isSame(one: FoundTempIso, other: FoundTempIso): boolean {
  const srsOf = (found: FoundTempIso) => found.srs.map(({ uuid }) => uuid).join();
  return one.folderUuid === other.folderUuid && one.state === other.state && srsOf(one) === srsOf(other);
}

function isSelected({ state, owner }: FoundTempIso, selector: Selector): boolean {
  switch (selector.by) {
    case "stack":
      return owner !== undefined && isOfStack(owner, selector);
    case "owner":
      return owner === selector.urn;
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

function reasonToKeep(found: FoundTempIso, { named, isEjecting }: Exceptions): Kept | undefined {
  const because = (reason: string, isNamed = false) => ({ found, reason, isNamed });
  const uuids = [found.folderUuid, ...found.srs.map(({ uuid }) => uuid)];
  if (uuids.some((uuid) => named.has(uuid))) return because("the stack export names it", true);
  if (found.isUnderWay) return because("another run is making it");
  const holder = found.drives.find(({ powerState }) => powerState === "running" || powerState === "paused");
  if (holder && !isEjecting)
    return because(
      `the ${holder.powerState ?? ""} VM ${holder.vmName} has it in its drive; give --eject to take it out`,
    );
  return undefined;
}
