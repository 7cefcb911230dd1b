import { setTimeout as sleep } from "node:timers/promises";
import type { FaultEffect } from "../simulator";
import type { Random } from "./random";
import type { Site } from "./site";

/** What goes wrong while an operation runs; the others that run at that time may be hit by it. */
export type Trouble = (site: Site) => Promise<void>;

const COMMANDS = {
  create: ["sr-create", "pbd-list", "sr-scan", "vdi-list"],
  delete: ["sr-list", "pbd-list", "vdi-list", "vbd-list", "pbd-unplug", "sr-forget"],
} as const;

const EFFECTS: readonly [FaultEffect, ...FaultEffect[]] = [
  { kind: "fail", code: "INTERNAL_ERROR", params: ["Unix.Unix_error(EIO)"] },
  { kind: "fail", code: "OTHER_OPERATION_IN_PROGRESS", params: ["SR"] },
  { kind: "loseReply", when: "before" },
  { kind: "loseReply" },
  { kind: "delay", ms: 400 },
];

const CRASHES: readonly [FaultEffect, ...FaultEffect[]] = [
  { kind: "plugFails" },
  { kind: "vdiLate", scans: 2 },
  { kind: "crash", leaves: "nothing", downMs: 200 },
  { kind: "crash", leaves: "srWithoutPbd", downMs: 200 },
  { kind: "crash", leaves: "unpluggedSr", downMs: 200 },
];

/** Chooses what goes wrong, more often than not nothing. */
export function chooseTrouble(random: Random, operation: keyof typeof COMMANDS): Trouble {
  const afterMs = Math.floor(random.next() * 400);
  const command = random.pick(COMMANDS[operation]);
  const effect = random.pick(EFFECTS);
  const crash = random.pick(CRASHES);
  const fault = (which: { command: string; effect: FaultEffect }): Trouble => {
    return ({ pool }) => {
      pool.xapi.faults.push(which);
      return Promise.resolve();
    };
  };
  return random.pick<Trouble>([
    none,
    ...Array.from({ length: 6 }, () => none),
    fault({ command, effect }),
    fault({ command, effect }),
    fault({ command: "sr-create", effect: crash }),
    async ({ link }) => {
      await sleep(afterMs);
      link.dropAll();
    },
    // What sshd does under MaxStartups.
    async ({ link }) => {
      await sleep(afterMs);
      link.faults.refuseConnections = 2;
      link.dropAll();
    },
    async ({ host }) => {
      await sleep(afterMs);
      await host.restartToolstack({ downMs: 200, initialisingMs: 100 });
    },
  ]);
}

const none: Trouble = () => Promise.resolve();
