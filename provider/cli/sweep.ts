import { findTempIsos, type FoundTempIso } from "../host/find-temp-isos";
import type { ReachedPool } from "../host/reach-pool";
import { removeFoundTempIso } from "../host/remove-found";
import { EXIT, type ExitStatus, UsageError } from "./exit";
import { tableOf } from "./list";
import { count, print } from "./print";
import {
  type Evidence,
  isByUrn,
  isSame,
  type Kept,
  projectsOf,
  select,
  type Selection,
  type Selector,
  uuidsOf,
} from "./selection";
import { confirm } from "./terminal";

/** What `sweep` is asked for. */
export interface SweepOptions {
  readonly srMountPaths: readonly string[];
  readonly selector: Selector;
  readonly evidence: Evidence;
  /** Whether to skip the questions. */
  readonly isConfirmed: boolean;
}

/** Shows what it would remove, asks, and removes it; returns `found` if something selected stays. */
export async function sweep(pool: ReachedPool, options: SweepOptions): Promise<ExitStatus> {
  const { host } = pool.speaker;
  const { selector, evidence, isConfirmed } = options;
  if (isByUrn(selector) && isConfirmed && !evidence.named)
    throw new UsageError(
      "--yes with --stack or --owner needs --except-stack-export: other stacks can have the same URNs.",
    );
  const { tempIsos, hostNames } = await findTempIsos(host, options.srMountPaths, pool.others);
  assertKnown(tempIsos, selector);
  const selection = select(tempIsos, selector, evidence);
  print(toText(selection, hostNames));
  assertOneProject([...selection.removals, ...selection.doubtful], selector);
  const { confirmed, refused } = await askAbout(selection, { address: host.address, isConfirmed });

  const outcomes: Outcome[] = refused.map((found) => tell(found, { result: "kept", why: NOT_PROVEN }));
  for (const removal of confirmed) outcomes.push(tell(removal, await remove(pool, removal, options)));
  const isLeft = confirmed.length < selection.removals.length;
  return isLeft ? EXIT.found : statusOf(selection, outcomes);
}

const NOT_PROVEN =
  "only the URN in its description says that it is of this stack; name it with --uuid, or answer without --yes";

/** Asks once for all that is certain, and once for each that is not. */
async function askAbout(
  { removals, doubtful }: Selection,
  { address, isConfirmed }: { address: string; isConfirmed: boolean },
): Promise<{ confirmed: readonly FoundTempIso[]; refused: readonly FoundTempIso[] }> {
  if (isConfirmed) return { confirmed: removals, refused: doubtful };
  const question = `Remove ${count(removals.length, "temporary ISO")} from ${address}?`;
  const confirmed = removals.length > 0 && (await confirm(question)) ? [...removals] : [];
  const refused: FoundTempIso[] = [];
  for (const found of doubtful) {
    const isMeant = await confirm(`Remove ${nameOf(found)} of ${found.owner ?? "nobody"} from ${address}?`);
    (isMeant ? confirmed : refused).push(found);
  }
  return { confirmed, refused };
}

/** Another project may have a stack of the same name. */
function assertOneProject(found: readonly FoundTempIso[], selector: Selector): void {
  const projects = projectsOf(found);
  if (selector.by !== "stack" || selector.project !== undefined || projects.length < 2) return;
  throw new UsageError(
    `Stacks of several projects are named ${selector.stack}; add --project (${projects.join(", ")}).`,
  );
}

function assertKnown(tempIsos: readonly FoundTempIso[], selector: Selector): void {
  if (selector.by !== "uuid") return;
  const known = new Set(tempIsos.flatMap(uuidsOf));
  const unknown = selector.uuids.filter((uuid) => !known.has(uuid));
  if (unknown.length > 0)
    throw new UsageError(
      `No temporary ISO has the UUID ${unknown.join(", ")}. Give that of its SR or of its folder, as list shows them.`,
    );
}

/** The outcome for one temporary ISO. */
interface Outcome {
  readonly result: "removed" | "kept" | "FAILED";
  readonly why?: string;
}

function tell(found: FoundTempIso, outcome: Outcome): Outcome {
  print(`${outcome.result.padEnd(8)} ${nameOf(found)}${outcome.why ? `: ${outcome.why}` : ""}`);
  return outcome;
}

/** Reads the hosts again right before the removal: what has changed since it was shown stays. */
async function remove(pool: ReachedPool, shown: FoundTempIso, options: SweepOptions): Promise<Outcome> {
  try {
    const { tempIsos } = await findTempIsos(pool.speaker.host, options.srMountPaths, pool.others);
    const now = tempIsos.find(({ folderUuid }) => folderUuid === shown.folderUuid);
    if (!now) return { result: "removed", why: "it was gone already" };
    const { kept } = select([now], options.selector, options.evidence);
    if (kept[0]) return { result: "kept", why: kept[0].reason };
    if (!isSame(now, shown)) return { result: "kept", why: "it has changed since it was shown" };
    await removeFoundTempIso(pool, now);
    return { result: "removed" };
  } catch (error) {
    return { result: "FAILED", why: error instanceof Error ? error.message : String(error) };
  }
}

function toText({ removals, doubtful, kept }: Selection, hostNames: ReadonlyMap<string, string>): string {
  const stays = kept.map(({ found, reason }) => `kept     ${nameOf(found)}: ${reason}`);
  const part = (found: readonly FoundTempIso[], title: string) =>
    found.length === 0 ? [] : [title, tableOf(found, hostNames)];
  const parts = [
    ...part(removals, `${count(removals.length, "temporary ISO")} to be removed:`),
    ...part(doubtful, `${count(doubtful.length, "temporary ISO")} that no export names:`),
  ];
  return [...stays, ...(parts.length === 0 ? ["Nothing to remove."] : parts)].join("\n");
}

function statusOf({ kept }: Selection, outcomes: readonly Outcome[]): ExitStatus {
  if (outcomes.some(({ result }) => result === "FAILED")) return EXIT.failed;
  const isLeft = kept.some(({ isHeld }: Kept) => !isHeld) || outcomes.some(({ result }) => result === "kept");
  return isLeft ? EXIT.found : EXIT.done;
}

function nameOf({ srPath, srs, folderUuid }: FoundTempIso): string {
  return srPath ?? `SR ${srs[0]?.uuid ?? folderUuid}`;
}
