import { setTimeout as sleep } from "node:timers/promises";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { setConfiguration } from "../host/resource";
import { isLocked, missingFrom, processesLeft, whatIsThere } from "./host-state";
import { type Images, makeImages } from "./images";
import { inLanes } from "./lanes";
import { Random } from "./random";
import { repeat } from "./repeat";
import { type Held, whatIsHeld } from "./resources";
import { Site, urnOf } from "./site";
import { type Provider, PROVIDERS, type StandInStack } from "./stack";
import { chooseTrouble, type Trouble } from "./trouble";
import { WorkerProcess } from "./worker-process";

/** How much is done. */
export interface ChaosPlan {
  readonly seed: number;
  /** For each process. Each is one create and one delete. */
  readonly discs: number;
  /** After this many, everything that is kept for good has been made: compiled code, pools of buffers. */
  readonly warmUp: number;
  /** Provider processes, each with a stack of its own, on the one host; 1 is this process. */
  readonly processes?: number;
}

/** What a process held before the first disc, after the warm-up, and after the last disc. */
export interface HeldOverTime {
  readonly begin: Held;
  readonly warm: Held;
  readonly end: Held;
}

/** The outcome. */
export interface ChaosResult {
  /** Of each process. */
  readonly held: readonly HeldOverTime[];
  /** The messages of operations that failed and were run again. */
  readonly failures: readonly string[];
  /** Failures that do not name their host. */
  readonly unclear: readonly string[];
  /** Discs of which an operation failed again and again. */
  readonly stuck: readonly string[];
  /** Discs of which something was gone before their delete. */
  readonly damaged: readonly string[];
  /** What the host has at the end. */
  readonly leftovers: readonly string[];
}

/** Of all processes together. Most of the time each waits for a toolstack to come back. */
const LANES = 10;

/** Longer than a provider keeps an idle connection. */
const IDLE_MS = 7_000;

/** By how much memory may differ, because the garbage collector returns pages late. */
const MEMORY_TOLERANCE_MIB = { residentMib: 48, heapMib: 8 };

interface Life {
  readonly owner: string;
  readonly onCreate: Trouble;
  readonly onDelete: Trouble;
}

/** A process that makes discs. */
interface Party {
  readonly provider: Provider;
  readonly held: () => Promise<Held>;
  readonly lives: readonly Life[];
}

/** Makes discs and deletes them on one host, a few at a time, with faults at random. */
export async function runChaos({ seed, discs, warmUp, processes = 1 }: ChaosPlan): Promise<ChaosResult> {
  const random = new Random(seed);
  await setConfiguration();
  await using site = await Site.start();
  const images = makeImages();
  const parties = await startParties(site, processes, (stack) =>
    Array.from({ length: discs }, (_, index) => lifeOf(`web-${index}`, stack, random)),
  );

  const outcomes: Outcome[] = [];
  const run = async (from: number, to: number): Promise<Held[]> => {
    const lanes = Math.ceil(LANES / processes);
    const all = parties.map(({ lives, provider }) =>
      inLanes(lives.slice(from, to), lanes, (life) => live(site, images, provider, life)),
    );
    outcomes.push(...(await Promise.all(all)).flat());
    await sleep(IDLE_MS);
    // Faults that met no call.
    site.pool.xapi.faults.splice(0);
    site.pool.xapi.calls.splice(0);
    return Promise.all(parties.map(({ held }) => held()));
  };
  const begin = await Promise.all(parties.map(({ held }) => held()));
  const warm = await run(0, warmUp);
  const end = await run(warmUp, discs);
  await site.endHelpers();

  const leftovers = [...(await whatIsThere(site.pool)), ...(await processesLeft(site.host, 5_000))];
  if (isLocked(site.host)) leftovers.push("a lock on the folder of the discs");
  const failures = outcomes.flatMap((outcome) => outcome.failures);
  return {
    held: parties.map((_, index) => ({ begin: begin[index]!, warm: warm[index]!, end: end[index]! })),
    failures,
    unclear: failures.filter((message) => !message.includes(site.link.host)),
    stuck: outcomes.flatMap((outcome) => outcome.stuck),
    damaged: outcomes.flatMap((outcome) => outcome.damaged),
    leftovers,
  };
}

async function startParties(
  site: Site,
  processes: number,
  livesOf: (stack: string) => Life[],
): Promise<Party[]> {
  if (processes === 1) {
    const held = () => Promise.resolve(whatIsHeld());
    return [{ provider: PROVIDERS.tempIso, held, lives: livesOf("dev") }];
  }
  const stacks = Array.from({ length: processes }, (_, index) => `dev-${index}`);
  return Promise.all(
    stacks.map(async (stack) => {
      const worker = await WorkerProcess.start();
      site.onEnd(() => worker[Symbol.asyncDispose]());
      return { provider: worker.provider("tempIso"), held: () => worker.held(), lives: livesOf(stack) };
    }),
  );
}

/** Whether the process holds at the end what it held after the warm-up. */
export function isLevel({ warm, end }: HeldOverTime): boolean {
  const { residentMib, heapMib } = MEMORY_TOLERANCE_MIB;
  return (
    end.openFiles <= warm.openFiles &&
    end.connections <= warm.connections &&
    end.residentMib - warm.residentMib <= residentMib &&
    end.heapMib - warm.heapMib <= heapMib
  );
}

function lifeOf(name: string, stack: string, random: Random): Life {
  return {
    owner: urnOf("tempIso", name, stack),
    onCreate: chooseTrouble(random, "create"),
    onDelete: chooseTrouble(random, "delete"),
  };
}

/** One disc, from its create to its delete. */
interface Outcome {
  readonly failures: readonly string[];
  readonly stuck: readonly string[];
  readonly damaged: readonly string[];
}

async function live(
  site: Site,
  images: Images,
  provider: Provider,
  { owner, onCreate, onDelete }: Life,
): Promise<Outcome> {
  const stack: StandInStack<TempIsoState> = site.disc(images.small, { owner }, provider);
  const [, created] = await Promise.all([onCreate(site), repeat(() => stack.up())]);
  const damaged = stack.stored ? missingFrom(site.pool, site.host, stack.stored.outputs) : [];
  const [, deleted] = await Promise.all([onDelete(site), repeat(() => stack.destroy())]);
  const stuck = [created, deleted]
    .filter(({ isDone }) => !isDone)
    .map(({ failures }) => `${owner}: ${failures.join("; ")}`);
  return { failures: [...created.failures, ...deleted.failures], stuck, damaged };
}
