import { setTimeout as sleep } from "node:timers/promises";
import { setConfiguration } from "../host/resource";
import { processesLeft, whatIsThere } from "./host-state";
import { type Images, makeImages } from "./images";
import { inLanes } from "./lanes";
import { Random } from "./random";
import { repeat } from "./repeat";
import { Site, urnOf } from "./site";
import { inNamespaceOf } from "./small-disc";
import type { StandInStack } from "./stack";

/** The outcome. */
export interface CutsResult {
  /** Operations that did not end. */
  readonly hangs: readonly string[];
  /** What the hosts have at the end of a disc. */
  readonly leftovers: readonly string[];
  /** Discs of which an operation failed again and again. */
  readonly unfinished: readonly string[];
  /** Operations that did not survive their cut. */
  readonly failed: number;
  /** Connections that were cut. */
  readonly killed: number;
  readonly longestMs: number;
}

/** Longer than any limit that a cut can lead to, except that of a toolstack which does not answer. */
const HANG_MS = 150_000;

/** Hosts, each with a disc at a time: enough to keep two cores busy. */
const LANES = 4;

/** How long after the beginning of an operation the last cut comes. */
const LATEST_MS = { create: 1_200, resume: 2_500, read: 600, delete: 900 } as const;

type Operation = keyof typeof LATEST_MS;

interface Cut {
  readonly name: string;
  readonly operation: Operation;
  readonly afterMs: number;
  /** Of a second one, once the operation goes on. */
  readonly againAfterMs: number | undefined;
}

interface Outcome {
  readonly hang?: string;
  readonly leftovers: readonly string[];
  readonly unfinished?: string;
  readonly hasFailed: boolean;
  readonly durationMs: number;
  readonly killed: number;
}

/** Makes and removes a disc for each cut, on a few hosts side by side. */
export async function runCuts({ seed, cuts }: { seed: number; cuts: number }): Promise<CutsResult> {
  const random = new Random(seed);
  await setConfiguration();
  const images = makeImages();
  const planned = Array.from({ length: cuts }, (_, index) => cutOf(`web-${index}`, random));
  const outcomes: Outcome[] = [];
  // Each lane has a host of its own.
  const lanes = Array.from({ length: LANES }, (_, lane) => planned.filter((_, at) => at % LANES === lane));
  await inLanes(lanes, LANES, async (mine) => {
    await using site = await Site.start();
    for (const cut of mine) outcomes.push(await endure(site, images, cut));
    const running = await processesLeft(site.host, 10_000);
    const rest = { hasFailed: false, durationMs: 0, killed: 0 };
    outcomes.push({ leftovers: running, ...rest });
  });
  return {
    hangs: outcomes.flatMap(({ hang = [] }) => hang),
    leftovers: outcomes.flatMap(({ leftovers }) => leftovers),
    unfinished: outcomes.flatMap(({ unfinished = [] }) => unfinished),
    killed: outcomes.reduce((sum, { killed }) => sum + killed, 0),
    failed: outcomes.filter(({ hasFailed }) => hasFailed).length,
    longestMs: Math.max(...outcomes.map(({ durationMs }) => durationMs)),
  };
}

function cutOf(name: string, random: Random): Cut {
  const operation = random.pick<Operation>(["create", "resume", "read", "delete"]);
  const afterMs = random.next() * LATEST_MS[operation];
  const againAfterMs = random.next() * LATEST_MS[operation];
  return { name, operation, afterMs, againAfterMs: operation === "resume" ? againAfterMs : undefined };
}

async function endure(site: Site, images: Images, cut: Cut): Promise<Outcome> {
  const { name, operation } = cut;
  const stack = site.disc(operation === "resume" ? images.large : images.small, {
    owner: urnOf("tempIso", name),
  });
  const isOnDisc = operation === "read" || operation === "delete";
  if (isOnDisc) await repeat(() => stack.up());
  const startedAt = Date.now();
  const [ending, killed] = await Promise.all([endingOf(operate(stack, operation)), cutOff(site, cut)]);
  const durationMs = Date.now() - startedAt;
  const hasFailed = ending !== "done";
  const what = `${operation} ${name}, cut after ${Math.round(cut.afterMs)} ms`;
  if (ending === "hangs") return { hang: what, leftovers: [], hasFailed, durationMs, killed };
  // A user runs again what has failed.
  const created = isOnDisc ? { isDone: true } : await repeat(() => stack.up());
  const deleted = await repeat(() => stack.destroy());
  const left = await whatIsThere(site.pool);
  return {
    leftovers: left.map((each) => `${what}: ${each}`),
    ...(!(created.isDone && deleted.isDone) && { unfinished: what }),
    hasFailed,
    durationMs,
    killed,
  };
}

function operate(stack: StandInStack, operation: Operation): Promise<void> {
  if (operation === "read") return stack.refresh();
  return operation === "delete" ? stack.destroy() : stack.up();
}

async function endingOf(operation: Promise<void>): Promise<"done" | "failed" | "hangs"> {
  const timer = new AbortController();
  const ended = operation.then(
    () => "done" as const,
    () => "failed" as const,
  );
  const late = sleep(HANG_MS, "hangs" as const, { signal: timer.signal }).catch(() => "hangs" as const);
  const ending = await Promise.race([ended, late]);
  timer.abort();
  return ending;
}

/** @returns how many connections were cut */
async function cutOff(site: Site, { afterMs, againAfterMs }: Cut): Promise<number> {
  await sleep(afterMs);
  const killed = killSessions(site);
  if (againAfterMs === undefined) return killed;
  await sleep(againAfterMs);
  return killed + killSessions(site);
}

/** Kills sshd's process of each connection, and leaves the one that listens. */
function killSessions({ host }: Site): number {
  // It finds none between two connections.
  const script = "pkill -KILL -c -f '^sshd(-session)?: root' || :";
  return Number(inNamespaceOf(host, ["/bin/sh", "-c", script]));
}
