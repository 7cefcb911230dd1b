import { setTimeout as sleep } from "node:timers/promises";
import type { FaultEffect } from "../simulator";
import type { FaultName } from "./cells";
import { Gate, type HaltedCall } from "./gate";
import { type Site, SR_MOUNT_PATH } from "./site";
import { enlargeDisc, mountSmallDisc } from "./small-disc";
import type { ProviderProcess } from "./provider-process";
import type { StandInStack } from "./stack";
import type { Step } from "./steps";

/** An operation that meets a fault. */
export interface Scene {
  readonly site: Site;
  readonly step: Step;
  readonly stack: StandInStack;
  /** Runs it: on this stack, or on the same one with another provider process. */
  readonly operate: (stack: StandInStack) => Promise<void>;
}

/** The end of an operation. */
export interface Ending {
  /** Thrown by it. */
  readonly error?: unknown;
  readonly problems?: readonly string[];
}

/** Runs the operation with the fault; returns when the fault is over. */
export function inject(fault: FaultName, scene: Scene): Promise<Ending> {
  return (scene.step.name === "connect" ? AT_THE_CONNECTION : AT_A_CALL)[fault](scene);
}

type Injection = (scene: Scene) => Promise<Ending>;

const AT_A_CALL: Readonly<Record<FaultName, Injection>> = {
  fail: (scene) =>
    isXe(scene)
      ? withXeFault(scene, { kind: "fail", code: "INTERNAL_ERROR", params: ["Unix.Unix_error(EIO)"] })
      : atCall(scene, (call) => call.fail("Input/output error")),
  lost: (scene) =>
    isXe(scene)
      ? withXeFault(scene, { kind: "loseReply" })
      : atCall(scene, async (call) => {
          await call.finish();
          call.kill();
        }),
  before: (scene) =>
    atCall(scene, (call) => {
      scene.site.link.dropAll();
      call.kill();
    }),
  during: (scene) =>
    scene.step.isUpload ? dropInTheStream(scene) : atCall(scene, (call) => dropAndGoOn(scene, call)),
  after: (scene) =>
    atCall(scene, async (call) => {
      await call.finish();
      scene.site.link.dropAll();
      call.run();
    }),
  silent: (scene) => atCall(scene, (call) => goSilent(scene, call)),
  hang: (scene) =>
    isXe(scene)
      ? hangUntilRestart(scene)
      : atCall(scene, async (call, ended) => {
          if (scene.step.isPatient) await dropAfterHang(scene);
          await ended;
          call.run();
        }),
  wrong: (scene) => withXeFault(scene, { ...CONTACT_LOST, when: "after" }),
  member: (scene) => {
    const { storage } = scene.site.pool.xapi;
    storage.attachMs = scene.site.pool.xapi.driveMs = GOES_ON_MS;
    return withXeFault(scene, { ...CONTACT_LOST, when: "meanwhile" }).finally(() => {
      storage.attachMs = scene.site.pool.xapi.driveMs = 0;
    });
  },
  late: (scene) => withXeFault(scene, { kind: "delay", ms: LATE_MS, when: "after" }),
  full: onFullDisc,
  killed: (scene) =>
    inWorker(scene, async (call, worker) => {
      await worker.kill();
      call.run();
    }),
  machine: (scene) =>
    inWorker(scene, (call, worker) => {
      worker.freeze();
      call.run();
    }),
  reboot: (scene) =>
    atCall(scene, async (call) => {
      await scene.site.host.reboot({ downMs: 500 });
      call.kill();
    }),
  moved: (scene) =>
    atCall(scene, async (call) => {
      await moveCoordinator(scene);
      call.kill();
    }),
  engine: (scene) =>
    inWorker(scene, async (call, worker) => {
      await worker.killEngine();
      call.run();
    }),
};

const AT_THE_CONNECTION: Readonly<Record<FaultName, Injection>> = {
  ...AT_A_CALL,
  fail: async ({ site, stack, operate }) => {
    await site.host.stopSshd();
    const ending = await endingOf(operate(stack));
    await site.host.startSshd();
    return ending;
  },
  before: ({ site, stack, operate }) => {
    site.link.faults.refuseConnections = 1;
    return endingOf(operate(stack));
  },
  during: (scene) => dropAfterBytes(scene, HALF_A_KEY_EXCHANGE_BYTES),
  hang: async ({ site, stack, operate }) => {
    site.link.faults.stallAfterBytes = 0;
    const ending = await endingOf(operate(stack));
    site.link.faults.stallAfterBytes = undefined;
    return ending;
  },
  killed: (scene) => whileConnecting(scene, (worker) => worker.kill()),
  engine: (scene) => whileConnecting(scene, (worker) => worker.killEngine()),
};

/** The coordinator of the pool lost the member that carries out the call. */
const CONTACT_LOST = { kind: "fail", code: "CANNOT_CONTACT_HOST", params: ["OpaqueRef:NULL"] } as const;

/** More than the minute for which most calls are repeated. */
const LATE_MS = 90_000;

/** How long a command goes on without its client. */
const GOES_ON_MS = 1_000;

/** How long a command with a limit of 10 min hangs before the toolstack restarts or the link drops. */
const HANG_MS = 3_000;

/** Longer than the interval of keep-alives: the link has lost one, and stays dead after the fault. */
const SILENT_MS = 9_000;

/** How long a provider may take to undo and exit once its engine is gone. */
const END_MS = 45_000;

const HALF_A_KEY_EXCHANGE_BYTES = 700;
const HALF_AN_UPLOAD_BYTES = 4 * 1024 ** 2;

const SMALL = {
  "make the folder": { size: "1m", inodes: 1 },
  "write the marker": { size: "1m", inodes: 2 },
  "receive the image": { size: "32k", inodes: 100 },
  "large: upload": { size: "1m", inodes: 100 },
} as const;

const LARGE = { size: "64m", inodes: 1_000 };

const isXe = ({ step }: Scene) => step.call?.program === "xe";

/** Runs the operation in this process, and acts once the step's call is reached. */
async function atCall(
  { site, step, stack, operate }: Scene,
  act: (call: HaltedCall, ended: Promise<Ending>) => void | Promise<void>,
): Promise<Ending> {
  if (!step.call) throw new TypeError(`${step.name} has no call.`);
  await using gate = await Gate.await(site.host, step.call);
  const ended = endingOf(operate(stack));
  const call = await Promise.race([gate.halted, ended]);
  if (!("run" in call)) return notReached(call);
  await act(call, ended);
  return await ended;
}

/** The same in a process that may be killed. No engine stores what it answers. */
async function inWorker(
  { site, step, stack, operate }: Scene,
  act: (call: HaltedCall, worker: ProviderProcess) => void | Promise<void>,
): Promise<Ending> {
  if (!step.call) throw new TypeError(`${step.name} has no call.`);
  const worker = await site.startProcess();
  site.onEnd(() => worker[Symbol.asyncDispose]());
  await using gate = await Gate.await(site.host, step.call);
  const ended = endingOf(operate(stack.through(worker.provider(stack.resource))));
  const call = await Promise.race([gate.halted, ended]);
  if (!("run" in call)) return notReached(call);
  await act(call, worker);
  return worker.isFrozen ? { error: new Error("The machine is gone.") } : await endOf(worker, ended);
}

async function whileConnecting(
  { site, stack, operate }: Scene,
  act: (worker: ProviderProcess) => Promise<void>,
): Promise<Ending> {
  const worker = await site.startProcess();
  site.onEnd(() => worker[Symbol.asyncDispose]());
  const before = site.link.connections.length;
  site.link.faults.stallAfterBytes = HALF_A_KEY_EXCHANGE_BYTES;
  const ended = endingOf(operate(stack.through(worker.provider(stack.resource))));
  const isOver = ended.then(() => true);
  while (site.link.connections.length === before) if (await Promise.race([isOver, sleep(20, false)])) break;
  await act(worker);
  site.link.faults.stallAfterBytes = undefined;
  return endOf(worker, ended);
}

/** The process must exit by itself, or be gone already. */
async function endOf(worker: ProviderProcess, ended: Promise<Ending>): Promise<Ending> {
  const isGone = await Promise.race([worker.exited.then(() => true), sleep(END_MS, false, { ref: false })]);
  if (isGone) return ended;
  return { ...(await ended), problems: [`the provider process still runs after ${END_MS / 1_000} s`] };
}

async function withXeFault(
  { site, step, stack, operate }: Scene,
  effect: FaultEffect,
  onReached: () => void = () => undefined,
): Promise<Ending> {
  const { args = /^/ } = step.call ?? {};
  const reached = { isSo: false };
  site.pool.xapi.faults.push({
    command: step.command ?? "",
    when: ({ command, entries }) => {
      const matches = args.test([command, ...entries.map(([key, value]) => `${key}=${value}`)].join(" "));
      if (matches && !reached.isSo) onReached();
      reached.isSo ||= matches;
      return matches;
    },
    effect,
  });
  const ending = await endingOf(operate(stack));
  return reached.isSo ? ending : notReached(ending);
}

function hangUntilRestart(scene: Scene): Promise<Ending> {
  return withXeFault(scene, { kind: "hang", when: "before" }, () => {
    setTimeout(() => void scene.site.host.restartToolstack({ downMs: 500 }), HANG_MS);
  });
}

async function dropAfterHang({ site }: Scene): Promise<void> {
  await sleep(HANG_MS);
  site.link.dropAll();
}

async function moveCoordinator({ site: { pool } }: Scene): Promise<void> {
  const { xapi, hosts, coordinator } = pool;
  const other = hosts.find(({ uuid }) => uuid !== coordinator.uuid);
  xapi.toolstack(coordinator.uuid).stop();
  await xapi.makeCoordinator(other?.uuid ?? "");
  await xapi.startHost(coordinator.uuid);
}

async function dropAndGoOn({ site }: Scene, call: HaltedCall): Promise<void> {
  site.link.dropAll();
  await sleep(GOES_ON_MS);
  call.run();
}

function dropInTheStream(scene: Scene): Promise<Ending> {
  return dropAfterBytes(scene, HALF_AN_UPLOAD_BYTES);
}

/** Breaks the first connection that sends this much. */
async function dropAfterBytes({ site, stack, operate }: Scene, bytes: number): Promise<Ending> {
  const { link } = site;
  const before = link.connections.length;
  link.faults.dropAfterBytes = bytes;
  const ended = endingOf(operate(stack));
  const isOver = ended.then(() => true);
  while (!link.connections.slice(before).some(({ bytesFromClient }) => bytesFromClient >= bytes))
    if (await Promise.race([isOver, sleep(2, false)])) break;
  link.faults.dropAfterBytes = undefined;
  return ended;
}

async function goSilent({ site }: Scene, call: HaltedCall): Promise<void> {
  site.link.faults.stallAfterBytes = 0;
  call.run();
  await sleep(SILENT_MS);
  site.link.faults.stallAfterBytes = undefined;
}

async function onFullDisc({ site, step, stack, operate }: Scene): Promise<Ending> {
  const limits = SMALL[step.name as keyof typeof SMALL];
  mountSmallDisc(site.host, SR_MOUNT_PATH, limits);
  const ending = await endingOf(operate(stack));
  enlargeDisc(site.host, SR_MOUNT_PATH, LARGE);
  return ending.error === undefined ? notReached(ending) : ending;
}

function endingOf(operation: Promise<void>): Promise<Ending> {
  return operation.then(
    () => ({}),
    (error: unknown) => ({ error }),
  );
}

function notReached(ending: Ending): Ending {
  return { ...ending, problems: ["the step was not reached: the cell says nothing"] };
}
