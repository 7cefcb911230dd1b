import { MARKER_STEP, type Step, STEPS } from "./steps";

/** Every fault, with its meaning. */
export const FAULTS = {
  fail: "the command fails and has done nothing; of a connection: nothing listens",
  lost: "the command is done and its reply is lost: the toolstack ends (xe), the shell is killed (others)",
  wrong: "xapi does it, then answers CANNOT_CONTACT_HOST",
  member:
    "the coordinator answers CANNOT_CONTACT_HOST at once; the member goes on for 1 s or more and does it",
  late: "xapi does it, and answers after 90 s",
  before: "the link drops before the command begins",
  during: "the link drops in the middle; the command goes on for 1 s and is done",
  after: "the link drops once the command is done, before its reply has arrived",
  silent: "the link is half open: neither side hears from the other any more",
  hang: "the command hangs until the provider has given up; xe, and commands that sync, for 3 s, until the toolstack restarts or the link drops",
  full: "the disk is full",
  killed: "the provider process is killed (SIGKILL); the command goes on",
  engine: "the engine is killed (SIGKILL); the command goes on",
  reboot: "the host reboots",
  moved: "the toolstack of the coordinator ends, and another host becomes the coordinator",
  machine: "the provider's machine loses power: the process is gone, the link half open",
} as const;

/**
 * The one gap that no order of steps closes: the disc is complete and no longer marked, and the process that would tell
 * the engine is gone. A create must not take such a disc for an orphan, because another stack may name it.
 */
const COMPLETE_BUT_UNKNOWN = /^(create|pool create) \/ (large: |coordinator: )?remove the marker \/ killed$/;

/** Name of a fault, and of a column of the matrix. */
export type FaultName = keyof typeof FAULTS;

/** One fault at one step. */
export interface Cell {
  readonly name: string;
  readonly step: Step;
  readonly fault: FaultName;
}

/** Commands that the coordinator hands to the host that has the SR or runs the VM. */
const FORWARDED = ["sr-create", "sr-scan", "pbd-plug", "pbd-unplug", "vbd-insert", "vbd-eject"];

/** What differs in a pool; the others are limits, which one host has as well. */
const POOL_FAULTS: readonly FaultName[] = [
  ...(["fail", "lost", "wrong", "member", "before", "during", "after"] as const),
  ...(["killed", "engine", "reboot", "moved"] as const),
];

/** Why a fault makes no sense at a step; undefined if it does. */
export function whyNot(
  { name, call, command, isUpload, operation, poolHost }: Step,
  fault: FaultName,
): string | undefined {
  if (name === MARKER_STEP.name)
    return fault === "full" ? undefined : "the shell itself writes it, within `make the folder`";
  if (["wrong", "member", "late"].includes(fault) && !command) return "it is not a call of xapi";
  if (fault === "member" && !FORWARDED.includes(command ?? "")) return "the coordinator does it itself";
  if (poolHost === undefined && ["reboot", "moved"].includes(fault)) return "tried with a pool";
  if (poolHost !== undefined && !POOL_FAULTS.includes(fault)) return "tried with one host";
  if (fault === "full") return isFilling(name) ? undefined : "it writes no bytes";
  if (!call && ["lost", "after"].includes(fault)) return "a login changes nothing that could be lost";
  if (!call && fault === "silent") return "the same as a host that hangs";
  if (!call && fault === "machine") return "nothing is made yet";
  if (fault === "machine" && operation !== "create") return "nobody waits for a lease";
  if (fault === "machine" && !isUpload && !name.startsWith("sr-"))
    return "a minute each: tried where most could be left";
  return undefined;
}

/** Whether a complete disc that no state names stays, for somebody to sweep away. */
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

/** Whether the cell mostly waits, for up to some minutes, and costs little meanwhile. */
export function isSlow({ fault }: Cell): boolean {
  return ["silent", "hang", "machine", "late"].includes(fault);
}

function isFilling(name: string): boolean {
  return ["make the folder", "receive the image", "large: upload"].includes(name);
}
