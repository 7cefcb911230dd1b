import { setTimeout as sleep } from "node:timers/promises";
import { setAttachmentStage } from "./attachment-stage";
import type { Cell } from "./cells";
import { setDiscStage } from "./disc-stage";
import { isLocked, processesLeft } from "./host-state";
import type { Images } from "./images";
import { inject } from "./inject";
import { setPoolStage } from "./pool-stage";
import { setReleaseStage } from "./release-stage";
import type { Promised, SetStage, Stage } from "./scene";
import { type DoorName, Site } from "./site";
import type { Operation } from "./steps";

/** The outcome of a cell. */
export interface CellResult {
  readonly cell: Cell;
  readonly promised: Promised | undefined;
  /** What breaks the promise. */
  readonly problems: readonly string[];
  /** Found on the host once everything is destroyed. */
  readonly leftovers: readonly string[];
  /** The message of the operation, if it failed. */
  readonly message: string | undefined;
  readonly durationMs: number;
}

/** Longest cell: a wait for another run's lease, and the limits of one operation. */
const LIMIT_MS = 240_000;

const STAGES: Readonly<Record<Operation, SetStage>> = {
  create: setDiscStage,
  update: setDiscStage,
  read: setDiscStage,
  delete: setDiscStage,
  attach: setAttachmentStage,
  exchange: setAttachmentStage,
  look: setAttachmentStage,
  detach: setAttachmentStage,
  release: setReleaseStage,
  "pool create": setPoolStage,
  "pool delete": setPoolStage,
};

/** Runs a cell on a host of its own. */
export async function runCell(cell: Cell, images: Images, door?: DoorName): Promise<CellResult> {
  const startedAt = Date.now();
  const problems: string[] = [];
  const found: { promised?: Promised; message?: string; leftovers: string[] } = { leftovers: [] };
  await using site = await Site.start(door, cell.step.poolHost);
  const acts = async () => {
    const stage = await STAGES[cell.step.operation](site, cell, images);
    const ending = await inject(cell.fault, { site, step: cell.step, ...stage });
    if (ending.error !== undefined) found.message = messageOf(ending.error);
    problems.push(...(ending.problems ?? []));
    if (cell.fault !== "machine") problems.push(...(await processesLeft(site.host, 5_000)));
    const judged = await stage.judge(ending);
    if (judged.promised) found.promised = judged.promised;
    problems.push(...judged.problems);
    problems.push(...(await goOn(site, stage, cell.step.operation)));
    const processes = await processesLeft(site.host, 5_000);
    const lock = isLocked(site.host) ? ["a lock on the folder of the discs"] : [];
    found.leftovers = [...(await stage.clear()), ...processes, ...lock];
  };
  const timedOut = sleep(LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`not done within ${LIMIT_MS / 1_000} s`);
  });
  await Promise.race([acts(), timedOut]).catch((error: unknown) => {
    problems.push(messageOf(error));
  });
  const { promised, message, leftovers } = found;
  return { cell, promised, problems, leftovers, message, durationMs: Date.now() - startedAt };
}

/** The next commands without a fault, until everything is destroyed; returns every problem. */
async function goOn(site: Site, { stack, differences }: Stage, operation: Operation): Promise<string[]> {
  const problems: string[] = [];
  const attempt = async (what: string, action: () => Promise<void>) => {
    await action().catch((error: unknown) => problems.push(`the next ${what}: ${messageOf(error)}`));
  };
  if (!["delete", "detach", "pool delete"].includes(operation)) {
    if (stack.stored) await attempt("refresh", () => stack.refresh());
    await attempt("up", () => stack.up());
    await site.endHelpers();
    problems.push(...(await differences()).map((difference) => `after the next up: ${difference}`));
  }
  await attempt("destroy", () => stack.destroy());
  if (stack.stored ?? stack.replaced[0]) problems.push("the destroy left a resource in the state");
  return problems;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
