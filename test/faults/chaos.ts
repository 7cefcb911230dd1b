/**
 * `npm run test:chaos`: creates and deletes in one process, a few at a time, with faults at random. In the end
 * nothing is left on the host, and the process holds what it held after the first of them.
 *
 * `--seed <n>` chooses the same faults again; when they strike is up to the machine. `--discs <n>` (300).
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { tempIso } from "../../provider/lifecycle/provider";
import { setConfiguration } from "../host/resource";
import { isLocked, processesLeft, whatIsThere } from "./host-state";
import { makeImages } from "./images";
import { inLanes } from "./lanes";
import { newSeed, Random } from "./random";
import { type Held, whatIsHeld } from "./resources";
import { OWNER, Site } from "./site";
import { StandInStack } from "./stack";
import { chooseTrouble, type Trouble } from "./trouble";

/** Most of the time each of them waits for a toolstack to come back. */
const LANES = 10;

/** After so many, what is kept for good has been made: compiled code, pools of buffers. */
const WARM_UP = 60;

/** An operation that fails is run again, as a user does; more often than this is no bad luck. */
const MOST_ATTEMPTS = 6;

/** Between one attempt and the next. */
const PAUSE_MS = 500;

/** By how much memory may differ: the collector gives pages back when it likes. */
const MEMORY_TOLERANCE_MIB = { residentMib: 48, heapMib: 8 };

/** Longer than a provider keeps an idle connection. */
const IDLE_MS = 1_500;

interface Life {
  readonly name: string;
  readonly onCreate: Trouble;
  readonly onDelete: Trouble;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seed: { type: "string" }, discs: { type: "string" } } });
  const random = new Random(Number(values.seed ?? newSeed()));
  console.log(`seed: ${random.seed}`);
  await setConfiguration();
  await using site = await Site.start({ isoPath: "small" }, makeImages());

  const lives = Array.from({ length: Number(values.discs ?? 300) }, (_, index) => lifeOf(index, random));
  const failures: string[] = [];
  const run = async (some: readonly Life[]): Promise<Held> => {
    failures.push(...(await inLanes(some, LANES, (life) => live(site, life))).flat());
    await sleep(IDLE_MS);
    site.pool.xapi.calls.splice(0);
    site.pool.xapi.faults.splice(0);
    return whatIsHeld();
  };
  const startedAt = Date.now();
  const warm = await run(lives.slice(0, WARM_UP));
  const end = await run(lives.slice(WARM_UP));

  const leftovers = [...(await whatIsThere(site.pool)), ...(await processesLeft(site.host, 5_000))];
  if (isLocked(site.host)) leftovers.push("a lock on the folder of the discs");
  for (const left of leftovers) console.log(`left: ${left}`);
  // Every message of the provider's own says which host it is about.
  const unclear = failures.filter((message) => !message.includes(site.link.host));
  for (const message of unclear) console.log(`unclear: ${message}`);
  console.log(`after ${WARM_UP}: ${JSON.stringify(warm)}\nat the end: ${JSON.stringify(end)}`);
  console.log(`${Math.round((Date.now() - startedAt) / 1_000)} s`);
  console.log(
    `discs: ${lives.length}, failed operations: ${failures.length}, unclear: ${unclear.length}, leftovers: ${leftovers.length}`,
  );
  const isKept = leftovers.length === 0 && unclear.length === 0 && isLevel(warm, end);
  process.exitCode = isKept ? 0 : 1;
}

function lifeOf(index: number, random: Random): Life {
  const name = `web-${index}`;
  return { name, onCreate: chooseTrouble(random, "create"), onDelete: chooseTrouble(random, "delete") };
}

/** @returns what the operations said that failed until the disc had been made and was gone */
async function live(site: Site, { name, onCreate, onDelete }: Life): Promise<string[]> {
  const owner = OWNER.replace(/[^:]+$/, name);
  const stack = new StandInStack({ ...site.args, owner }, tempIso);
  const [, created] = await Promise.all([onCreate(site), repeat(() => stack.up())]);
  const [, deleted] = await Promise.all([onDelete(site), repeat(() => stack.destroy())]);
  return [...created, ...deleted];
}

async function repeat(operation: () => Promise<void>): Promise<string[]> {
  const failures: string[] = [];
  for (;;) {
    try {
      await operation();
      return failures;
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      if (failures.length === MOST_ATTEMPTS)
        throw new Error(`Failed again and again: ${failures.join("; ")}`, { cause: error });
      await sleep(PAUSE_MS);
    }
  }
}

function isLevel(warm: Held, end: Held): boolean {
  const { residentMib, heapMib } = MEMORY_TOLERANCE_MIB;
  return (
    end.openFiles <= warm.openFiles &&
    end.sockets <= warm.sockets &&
    end.residentMib - warm.residentMib <= residentMib &&
    end.heapMib - warm.heapMib <= heapMib
  );
}

void main();
