import { setTimeout as sleep } from "node:timers/promises";
import { tempIso } from "../../provider/lifecycle/provider";
import { setConfiguration } from "../host/resource";
import { isLocked, processesLeft, whatIsThere } from "./host-state";
import { makeImages } from "./images";
import { inLanes } from "./lanes";
import { Random } from "./random";
import { type Held, whatIsHeld } from "./resources";
import { OWNER, Site } from "./site";
import { StandInStack } from "./stack";
import { chooseTrouble, type Trouble } from "./trouble";

/** How much is done. */
export interface ChaosPlan {
  readonly seed: number;
  /** Each is one create and one delete. */
  readonly discs: number;
  /** After so many, what is kept for good has been made: compiled code, pools of buffers. */
  readonly warmUp: number;
}

/** What came of it. */
export interface ChaosResult {
  /** What this process held before the first disc, after the warm-up, and after the last disc. */
  readonly held: { readonly begin: Held; readonly warm: Held; readonly end: Held };
  /** What each operation said that failed, and was run again. */
  readonly failures: readonly string[];
  /** Failures that do not say which host they are about. */
  readonly unclear: readonly string[];
  /** Discs of which an operation failed again and again. */
  readonly stuck: readonly string[];
  /** What the host has at the end. */
  readonly leftovers: readonly string[];
}

/** Most of the time each of them waits for a toolstack to come back. */
const LANES = 10;

/** An operation that fails is run again, as a user does; more often than this is no bad luck. */
const MOST_ATTEMPTS = 10;

/** Between one attempt and the next. */
const PAUSE_MS = 500;

/** Longer than a provider keeps an idle connection. */
const IDLE_MS = 7_000;

/** By how much memory may differ: the collector gives pages back when it likes. */
const MEMORY_TOLERANCE_MIB = { residentMib: 48, heapMib: 8 };

interface Life {
  readonly name: string;
  readonly onCreate: Trouble;
  readonly onDelete: Trouble;
}

/** Makes discs and deletes them on one host, a few at a time, in this process, with faults at random. */
export async function runChaos({ seed, discs, warmUp }: ChaosPlan): Promise<ChaosResult> {
  const random = new Random(seed);
  const lives = Array.from({ length: discs }, (_, index) => lifeOf(index, random));
  await setConfiguration();
  await using site = await Site.start({ isoPath: "small" }, makeImages());

  const failures: string[] = [];
  const stuck: string[] = [];
  const run = async (some: readonly Life[]): Promise<Held> => {
    for (const outcome of await inLanes(some, LANES, (life) => live(site, life))) {
      failures.push(...outcome.failures);
      stuck.push(...outcome.stuck);
    }
    await sleep(IDLE_MS);
    // Faults that found no call to befall.
    site.pool.xapi.faults.splice(0);
    site.pool.xapi.calls.splice(0);
    return whatIsHeld();
  };
  const begin = whatIsHeld();
  const warm = await run(lives.slice(0, warmUp));
  const end = await run(lives.slice(warmUp));

  const leftovers = [...(await whatIsThere(site.pool)), ...(await processesLeft(site.host, 5_000))];
  if (isLocked(site.host)) leftovers.push("a lock on the folder of the discs");
  const unclear = failures.filter((message) => !message.includes(site.link.host));
  return { held: { begin, warm, end }, failures, unclear, stuck, leftovers };
}

/** Whether the process holds at the end what it held after the warm-up. */
export function isLevel({ warm, end }: ChaosResult["held"]): boolean {
  const { residentMib, heapMib } = MEMORY_TOLERANCE_MIB;
  return (
    end.openFiles <= warm.openFiles &&
    end.connections <= warm.connections &&
    end.residentMib - warm.residentMib <= residentMib &&
    end.heapMib - warm.heapMib <= heapMib
  );
}

function lifeOf(index: number, random: Random): Life {
  const name = `web-${index}`;
  return { name, onCreate: chooseTrouble(random, "create"), onDelete: chooseTrouble(random, "delete") };
}

async function live(site: Site, { name, onCreate, onDelete }: Life) {
  const owner = OWNER.replace(/[^:]+$/, name);
  const stack = new StandInStack({ ...site.args, owner }, tempIso);
  const [, created] = await Promise.all([onCreate(site), repeat(() => stack.up())]);
  const [, deleted] = await Promise.all([onDelete(site), repeat(() => stack.destroy())]);
  const stuck = [created, deleted]
    .filter(({ isDone }) => !isDone)
    .map(({ failures }) => `${name}: ${failures.join("; ")}`);
  return { failures: [...created.failures, ...deleted.failures], stuck };
}

async function repeat(operation: () => Promise<void>): Promise<{ isDone: boolean; failures: string[] }> {
  const failures: string[] = [];
  while (failures.length < MOST_ATTEMPTS) {
    try {
      await operation();
      return { isDone: true, failures };
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      await sleep(PAUSE_MS);
    }
  }
  return { isDone: false, failures };
}
