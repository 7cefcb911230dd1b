import { MARKER_STEP, type Step, STEPS } from "./steps";

/** Every fault, with what it means. */
export const FAULTS = {
  fail: "the command fails and has done nothing; of a connection: nothing listens",
  lost: "the command is done, its answer is lost: the toolstack ends (xe), the shell is killed (others)",
  before: "the link drops before the command is begun",
  during: "the link drops in the middle; the command goes on for 1 s and is done",
  after: "the link drops once the command is done, before its answer has arrived",
  silent: "the link is half open: neither side hears of the other any more",
  hang: "the command hangs until the provider has given up; xe, and what syncs, until the toolstack restarts, or the link drops, after 3 s",
  full: "the disc is full",
  killed: "the provider process is killed (SIGKILL); the command goes on",
  engine: "the engine is killed (SIGKILL); the command goes on",
  machine: "the provider's machine loses power: the process is gone, the link half open",
} as const;

/**
 * The instant that no order of steps closes: the disc is complete and no longer marked, and nobody is left who
 * could tell the engine. A create must not take such a disc for an orphan, because another stack may name it.
 */
const COMPLETE_BUT_UNKNOWN = /^create \/ (large: )?remove the marker \/ killed$/;

/** Name of a fault, and of a column of the matrix. */
export type FaultName = keyof typeof FAULTS;

/** One fault at one step. */
export interface Cell {
  readonly name: string;
  readonly step: Step;
  readonly fault: FaultName;
}

/** Why a fault makes no sense at a step; undefined where it does. */
export function whyNot({ name, call, isUpload, operation }: Step, fault: FaultName): string | undefined {
  if (name === MARKER_STEP.name)
    return fault === "full" ? undefined : "the shell itself writes it, within `make the folder`";
  if (fault === "full") return isFilling(name) ? undefined : "it writes no bytes";
  if (!call && ["lost", "after"].includes(fault)) return "a login changes nothing that could be lost";
  if (!call && fault === "silent") return "the same as a host that hangs";
  if (!call && fault === "machine") return "nothing is made yet";
  if (fault === "machine" && operation !== "create") return "nobody waits for a lease";
  if (fault === "machine" && !isUpload && !name.startsWith("sr-"))
    return "a minute each: tried where most is left";
  return undefined;
}

/** Whether what stays is a complete disc that no state names, for somebody to sweep away. */
export const isForSweep = ({ name }: Cell) => COMPLETE_BUT_UNKNOWN.test(name);

/** All cells that make sense. */
export function allCells(): Cell[] {
  return STEPS.flatMap((step) =>
    (Object.keys(FAULTS) as FaultName[])
      .filter((fault) => whyNot(step, fault) === undefined)
      .map((fault) => ({ name: nameOf(step, fault), step, fault })),
  );
}

/** `create / upload / full` */
export function nameOf({ operation, name }: Step, fault: FaultName): string {
  return `${operation} / ${name} / ${fault}`;
}

/** Whether the cell waits for a limit of a minute most of the time, and costs next to nothing meanwhile. */
export function isSlow({ fault }: Cell): boolean {
  return ["silent", "hang", "machine"].includes(fault);
}

function isFilling(name: string): boolean {
  return ["make the folder", "receive the image", "large: upload"].includes(name);
}
