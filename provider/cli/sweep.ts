import { findTempIsos, type FoundTempIso, removeFoundTempIso } from "../host/find-temp-isos";
import type { SharedConnection } from "../ssh/shared-connection";
import { EXIT, type ExitStatus, UsageError } from "./exit";
import { tableOf } from "./list";
import { count, print } from "./print";
import {
  type Exceptions,
  isSame,
  type Kept,
  projectsOf,
  select,
  type Selection,
  type Selector,
} from "./selection";
import { confirm } from "./terminal";

/** What `sweep` is asked for. */
export interface SweepOptions {
  readonly srMountPaths: readonly string[];
  readonly selector: Selector;
  readonly exceptions: Exceptions;
  /** Whether nobody is asked. */
  readonly isConfirmed: boolean;
}

/** Shows what it would remove, asks, and removes it; `found` when something selected had to stay. */
export async function sweep(host: SharedConnection, options: SweepOptions): Promise<ExitStatus> {
  const { tempIsos, hostNames } = await findTempIsos(host, options.srMountPaths);
  const selection = select(tempIsos, options.selector, options.exceptions);
  const { removals } = selection;
  print(toText(selection, hostNames));
  if (removals.length === 0) return statusOf(selection, []);
  assertOneProject(removals, options.selector);
  const question = `Remove ${count(removals.length, "temporary ISO")} from ${host.address}?`;
  if (!options.isConfirmed && !(await confirm(question))) return EXIT.found;

  const outcomes: Outcome[] = [];
  for (const removal of removals) {
    const outcome = await remove(host, removal, options);
    print(`${outcome.result.padEnd(8)} ${nameOf(removal)}${outcome.why ? `: ${outcome.why}` : ""}`);
    outcomes.push(outcome);
  }
  return statusOf(selection, outcomes);
}

/** The project that somebody has in mind is not the only one with a stack of that name. */
function assertOneProject(removals: readonly FoundTempIso[], selector: Selector): void {
  const projects = projectsOf(removals);
  if (selector.by !== "stack" || selector.project !== undefined || projects.length < 2) return;
  throw new UsageError(
    `Stacks of several projects are named ${selector.stack}: give --project (${projects.join(", ")}).`,
  );
}

/** What became of one. */
interface Outcome {
  readonly result: "removed" | "kept" | "FAILED";
  readonly why?: string;
}

/** Looks once more, right before: what has changed since it was shown stays. */
async function remove(host: SharedConnection, shown: FoundTempIso, options: SweepOptions): Promise<Outcome> {
  try {
    const { tempIsos } = await findTempIsos(host, options.srMountPaths);
    const now = tempIsos.find(({ folderUuid }) => folderUuid === shown.folderUuid);
    if (!now) return { result: "removed", why: "it was gone already" };
    const { kept } = select([now], options.selector, options.exceptions);
    if (kept[0]) return { result: "kept", why: kept[0].reason };
    if (!isSame(now, shown)) return { result: "kept", why: "it has changed since it was shown" };
    await removeFoundTempIso(host, now);
    return { result: "removed" };
  } catch (error) {
    return { result: "FAILED", why: error instanceof Error ? error.message : String(error) };
  }
}

function toText({ removals, kept }: Selection, hostNames: ReadonlyMap<string, string>): string {
  const stays = kept.map(({ found, reason }) => `kept     ${nameOf(found)}: ${reason}`);
  if (removals.length === 0) return ["Nothing is to be removed.", ...stays].join("\n");
  return [
    ...stays,
    `${count(removals.length, "temporary ISO")} to be removed:`,
    tableOf(removals, hostNames),
  ].join("\n");
}

function statusOf({ kept }: Selection, outcomes: readonly Outcome[]): ExitStatus {
  if (outcomes.some(({ result }) => result === "FAILED")) return EXIT.failed;
  const isLeft =
    kept.some(({ isNamed }: Kept) => !isNamed) || outcomes.some(({ result }) => result === "kept");
  return isLeft ? EXIT.found : EXIT.done;
}

function nameOf({ srPath, srs, folderUuid }: FoundTempIso): string {
  return srPath ?? `SR ${srs[0]?.uuid ?? folderUuid}`;
}
