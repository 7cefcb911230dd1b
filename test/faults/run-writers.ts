import { setTimeout as sleep } from "node:timers/promises";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { tempIso } from "../../provider/lifecycle/provider";
import { parseNameDescription } from "../../provider/host/name-description";
import { setConfiguration } from "../host/resource";
import { isLocked, missingFrom, processesLeft, whatIsThere } from "./host-state";
import { makeImages } from "./images";
import { inLanes } from "./lanes";
import { Random } from "./random";
import { repeat } from "./repeat";
import { Site, urnOf } from "./site";
import type { Provider, StandInStack } from "./stack";
import { WorkerProcess } from "./worker-process";

/** How much is done. */
export interface WritersPlan {
  readonly seed: number;
  /** Of each stack. */
  readonly discs: number;
}

/** The outcome. */
export interface WritersResult {
  /** How often the victim was killed. */
  readonly kills: number;
  /** Messages of the process that nobody touched. */
  readonly failures: readonly string[];
  /** Operations of the victim that never succeeded. */
  readonly stuck: readonly string[];
  /** What was gone of a disc that a state names. */
  readonly damaged: readonly string[];
  /** Complete discs that a killed create had no time to report; they are swept. */
  readonly unreported: number;
  /** What the host has at the end. */
  readonly leftovers: readonly string[];
}

/** As many commands as a connection carries at once. */
const LANES = 9;

/** How often the victim is killed while it creates, and while it deletes. */
const KILLS = 2;

/**
 * Two stacks work at one host at the same time, each in a process of its own. One process is killed at random and
 * started again; nothing of the other's discs may go.
 */
export async function runWriters({ seed, discs }: WritersPlan): Promise<WritersResult> {
  const random = new Random(seed);
  await setConfiguration();
  await using site = await Site.start();
  const { small } = makeImages();
  const stacksOf = (stack: string) =>
    Array.from({ length: discs }, (_, index) =>
      site.disc(small, { owner: urnOf("tempIso", `web-${index}`, stack) }),
    );
  const [calm, hunted] = [stacksOf("calm"), stacksOf("hunted")];
  await using neighbour = await WorkerProcess.start();
  await using victim = await Victim.start(random);

  const failures: string[] = [];
  const stuck: string[] = [];
  const work = (stacks: readonly Stack[], act: (stack: Stack) => Promise<string[]>, into: string[]) =>
    inLanes(stacks, LANES, async (stack) => {
      into.push(...(await act(stack)));
    });
  const onVictim = (method: "up" | "destroy") => async (stack: Stack) => {
    const { isDone, failures: messages } = await repeat(() => victim.run(stack, method));
    return isDone ? [] : messages;
  };

  const damaged: string[] = [];
  const look = (stacks: readonly Stack[]) => {
    for (const { stored } of stacks)
      damaged.push(...(stored ? missingFrom(site.pool, site.host, stored.outputs) : ["a disc was not made"]));
  };
  const provider = neighbour.provider("tempIso");
  victim.hunt(discs, KILLS);
  await Promise.all([
    work(calm, (stack) => once(stack, provider, "up"), failures),
    work(hunted, onVictim("up"), stuck),
  ]);
  look([...calm, ...hunted]);
  victim.hunt(discs, KILLS);
  await work(hunted, onVictim("destroy"), stuck);
  look(calm);
  await work(calm, (stack) => once(stack, provider, "destroy"), failures);
  const unreported = await sweepUnreported(site);

  const leftovers = [...(await whatIsThere(site.pool)), ...(await processesLeft(site.host, 5_000))];
  if (isLocked(site.host)) leftovers.push("a lock on the folder of the discs");
  return { kills: victim.kills, failures, stuck, damaged, unreported, leftovers };
}

type Stack = StandInStack<TempIsoState>;

/** Runs one operation, which may not fail. */
async function once(stack: Stack, provider: Provider, method: "up" | "destroy"): Promise<string[]> {
  const operated = stack.through(provider);
  try {
    await operated[method]();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  } finally {
    stack.adopt(operated);
  }
}

/** A provider process that is killed in the midst of its work, and started again. */
class Victim implements AsyncDisposable {
  kills = 0;
  #done = 0;
  /** After how many operations it is killed next; the last one first. */
  #due: number[] = [];
  #hunting: Promise<void> = Promise.resolve();
  #restart: Promise<void> | undefined;

  private constructor(
    private worker: WorkerProcess,
    private readonly random: Random,
  ) {}

  static async start(random: Random): Promise<Victim> {
    return new Victim(await WorkerProcess.start(), random);
  }

  /** Chooses when to kill it, within so many operations. */
  hunt(operations: number, kills: number): void {
    this.#done = 0;
    this.#due = Array.from({ length: kills }, () => Math.floor(this.random.next() * operations)).sort(
      (a, b) => b - a,
    );
  }

  /** Runs one operation in the process as it is now. */
  async run(stack: Stack, method: "up" | "destroy"): Promise<void> {
    await this.#restart;
    this.#hunting = this.#hunting.then(() => this.#killIfDue());
    const operated = stack.through(this.worker.provider("tempIso"));
    try {
      await operated[method]();
      this.#done++;
    } finally {
      stack.adopt(operated);
    }
  }

  async #killIfDue(): Promise<void> {
    const due = this.#due.at(-1);
    if (due === undefined || this.#done < due) return;
    this.#due.pop();
    await sleep(Math.floor(this.random.next() * 60));
    this.#restart = this.#killAndStart();
    await this.#restart;
  }

  async #killAndStart(): Promise<void> {
    await this.worker[Symbol.asyncDispose]();
    this.kills++;
    this.worker = await WorkerProcess.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hunting;
    await this.worker[Symbol.asyncDispose]();
  }
}

/** Sweeps the complete discs of the victim's stack that no state names; returns how many there were. */
async function sweepUnreported({ pool, address }: Site): Promise<number> {
  const srs = pool.xapi.srs.filter(({ nameDescription }) => nameDescription.includes(":hunted:"));
  for (const { uuid: srUuid, nameDescription } of srs) {
    const { owner } = parseNameDescription(nameDescription)!;
    const srPath = pool.xapi.pbdsOf(srUuid)[0]?.deviceConfig["location"] ?? "";
    const isoName = pool.xapi.vdisOf(srUuid)[0]?.nameLabel ?? "";
    await tempIso.delete(srUuid, { ...address, owner, srPath, isoName, srUuid } as TempIsoState);
  }
  return srs.length;
}
