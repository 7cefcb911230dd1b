import { setTimeout as sleep } from "node:timers/promises";
import { tempIso } from "../../provider/lifecycle/provider";
import { type Cell, isForSweep } from "./cells";
import { differencesFrom, isLocked, notPartOf, processesLeft, putTwin, whatIsThere } from "./host-state";
import type { Images } from "./images";
import { type Ending, inject } from "./inject";
import { OWNER, Site, SR_MOUNT_PATH } from "./site";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { StandInStack } from "./stack";
import type { Operation } from "./steps";

/**
 * Which promise holds after the fault: (a) the host has nothing and the state names nothing; (b) the state names
 * exactly what is there; (c) nobody could say, and the next up clears what was left; (s) what stays is a complete
 * disc that no state names, and that can be found and swept away.
 */
export type Promised = "a" | "b" | "c" | "s";

/** What came of a cell. */
export interface CellResult {
  readonly cell: Cell;
  readonly promised: Promised | undefined;
  /** What breaks the promise; none where it is kept. */
  readonly problems: readonly string[];
  /** What the host still has once all is destroyed. */
  readonly leftovers: readonly string[];
  /** What the operation said. */
  readonly message: string | undefined;
  readonly durationMs: number;
}

/** A cell takes no longer than this: a wait for another run's lease, and the limits of one operation. */
const LIMIT_MS = 240_000;

/** How long a provider keeps a connection for the next command. */
const IDLE_MS = 5_500;

/** Runs a cell on a host of its own. */
export async function runCell(cell: Cell, images: Images): Promise<CellResult> {
  const startedAt = Date.now();
  const problems: string[] = [];
  const found: { promised?: Promised; message?: string; leftovers: string[] } = { leftovers: [] };
  await using site = await Site.start({ isoPath: cell.step.image ?? "small" }, images);
  const stages = async () => {
    await prepare(site, cell);
    const ending = await inject(cell.fault, { site, step: cell.step, operate: OPERATE[cell.step.operation] });
    if (ending.error !== undefined) found.message = messageOf(ending.error);
    problems.push(...(ending.problems ?? []));
    if (cell.fault !== "machine") problems.push(...(await processesLeft(site.host, 5_000)));
    const judged = await judge(site, cell, ending);
    if (judged.promised) found.promised = judged.promised;
    problems.push(...judged.problems);
    if (judged.promised === "s") problems.push(...(await sweep(site)));
    problems.push(...(await goOn(site, cell.step.operation)));
    found.leftovers = await leftoversOf(site);
  };
  const timedOut = sleep(LIMIT_MS, undefined, { ref: false }).then(() => {
    throw new Error(`not done within ${LIMIT_MS / 1_000} s`);
  });
  await Promise.race([stages(), timedOut]).catch((error: unknown) => {
    problems.push(messageOf(error));
  });
  const { promised, message, leftovers } = found;
  return { cell, promised, problems, leftovers, message, durationMs: Date.now() - startedAt };
}

const OPERATE: Readonly<Record<Operation, (stack: StandInStack) => Promise<void>>> = {
  create: (stack) => stack.up(),
  update: (stack) => stack.update(),
  read: (stack) => stack.refresh(),
  delete: (stack) => stack.destroy(),
};

/** What has to be there before the operation. */
async function prepare({ pool, stack, host, args }: Site, { step }: Cell): Promise<void> {
  if (step.hasTwin) putTwin(host, args["isoPath"] as string);
  if (step.name === "pbd-plug")
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails" } });
  if (step.operation === "create") return;
  await stack.up();
  const vdiUuid = stack.disc?.outputs.vdiUuid ?? "";
  // Held by a running VM, so that a delete has something to eject.
  if (step.operation === "delete" && !step.isUnused)
    pool.xapi.addVm({ name: "web-1", powerState: "running", drives: [{ vdiUuid }] });
  if (step.name === "connect") await sleep(IDLE_MS);
}

/** Compares what the state names with what the host has. */
async function judge(
  { pool, stack }: Site,
  cell: Cell,
  { error }: Ending,
): Promise<{ promised?: Promised; problems: string[] }> {
  const { step, fault } = cell;
  const { disc, replaced } = stack;
  const left = await whatIsThere(pool);
  if (!disc) {
    if (left.length === 0) return { promised: "a", problems: [] };
    if (isForSweep(cell)) return { promised: "s", problems: [] };
    if (["killed", "engine", "machine"].includes(fault)) return { promised: "c", problems: [] };
    return { problems: ["the state names nothing, the host has:", ...left] };
  }
  const isUntouched = step.operation === "read" || step.operation === "update" || error === undefined;
  const discs = [disc, ...replaced].map(({ outputs }) => outputs);
  const problems = isUntouched ? await differencesFrom(pool, disc.outputs) : await notPartOf(pool, discs);
  return { promised: "b", problems };
}

/** Finds the one complete disc on the host by what it says of itself, and deletes it. */
async function sweep(site: Site): Promise<string[]> {
  const { pool } = site;
  const [sr] = pool.xapi.srs;
  const [vdi] = pool.xapi.vdis;
  const srPath = sr && pool.xapi.pbdsOf(sr.uuid)[0]?.deviceConfig["location"];
  if (!srPath || !vdi || !sr.nameDescription.includes(OWNER)) return ["what stays does not say whose it is"];
  const found = { ...site.address, owner: OWNER, srPath, isoName: vdi.nameLabel, srUuid: sr.uuid };
  const paths = (await whatIsThere(pool)).filter((line) => line.includes(`:${SR_MOUNT_PATH}`));
  if (paths.length !== 3) return ["what stays is not complete:", ...paths];
  await tempIso.delete(sr.uuid, found as TempIsoState);
  return whatIsThere(pool);
}

/** What comes next without a fault, until all is destroyed; each problem that it meets. */
async function goOn(site: Site, operation: Operation): Promise<string[]> {
  const { stack, pool } = site;
  const problems: string[] = [];
  const attempt = async (what: string, action: () => Promise<void>) => {
    await action().catch((error: unknown) => problems.push(`the next ${what}: ${messageOf(error)}`));
  };
  if (operation !== "delete") {
    if (stack.disc) await attempt("refresh", () => stack.refresh());
    await attempt("up", () => stack.up());
    await site.endHelpers();
    const differences = stack.disc ? await differencesFrom(pool, stack.disc.outputs) : ["no disc"];
    problems.push(...differences.map((difference) => `after the next up: ${difference}`));
  }
  await attempt("destroy", () => stack.destroy());
  if (stack.disc ?? stack.replaced[0]) problems.push("the destroy left a disc in the state");
  return problems;
}

async function leftoversOf({ pool, host }: Site): Promise<string[]> {
  const processes = await processesLeft(host, 5_000);
  const lock = isLocked(host) ? ["a lock on the folder of the discs"] : [];
  return [...(await whatIsThere(pool)), ...processes, ...lock];
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
