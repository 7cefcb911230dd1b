import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { pathOf } from "../../provider/host/folder";
import { createTempIso } from "../../provider/host/temp-iso";
import { localImage } from "../../provider/lifecycle/image-source";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";
import { targetOf } from "./target";

beforeEach(() => setConfiguration());
afterEach(() => vi.useRealTimers());

const callsOf = ({ xapi }: SimulatedPool, name: string) =>
  xapi.calls.filter(({ command }) => command === name);

/** A pool of two, and its member. */
async function startPair(): Promise<{ pool: SimulatedPool; member: SimulatedHost } & AsyncDisposable> {
  const pool = await startPool({ transport: "embedded", hosts: 2 });
  const [, member] = pool.hosts as [SimulatedHost, SimulatedHost];
  return { pool, member, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}

describe("on a member of a pool", () => {
  test("that is disabled, a disc is made, read and deleted", async () => {
    await using pair = await startPair();
    const { pool, member } = pair;
    for (const host of pool.xapi.hosts) if (host.uuid === member.uuid) host.enabled = false;
    const state = await createDisc(argumentsFor(member));
    await expect(readDisc(state)).resolves.toMatchObject({ props: { status: "ready" } });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("the disc is found and deleted though it has another coordinator and other PBDs since", async () => {
    await using pair = await startPair();
    const { pool, member } = pair;
    const state = await createDisc(argumentsFor(member));
    pool.xapi.pool.coordinatorUuid = member.uuid;
    await pool.xapi.renewPbds(member.uuid);
    const [pbd] = pool.xapi.pbds;
    expect(pbd?.uuid).not.toBe(state.pbdUuid);
    await expect(readDisc(state)).resolves.toMatchObject({ props: { status: "ready", pbdUuid: pbd?.uuid } });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("in emergency mode every operation says so, and asks no second time", async () => {
    await using pair = await startPair();
    const { pool, member } = pair;
    const state = await createDisc(argumentsFor(member));
    pool.xapi.toolstack(member.uuid).isInEmergencyMode = true;
    const message = /HOST_IN_EMERGENCY_MODE.*pool coordinator does not answer/;
    pool.xapi.calls.splice(0);
    await expect(createDisc(argumentsFor(member))).rejects.toThrow(message);
    expect(callsOf(pool, "sr-create")).toHaveLength(1);
    await expect(readDisc(state)).rejects.toThrow(message);
    await expect(deleteDisc(state)).rejects.toThrow(message);
    expect(pool.xapi.calls.length).toBeLessThan(12);

    pool.xapi.toolstack(member.uuid).isInEmergencyMode = false;
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("a toolstack that restarts", () => {
  test("during a delete is waited for", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const state = await createDisc(argumentsFor(pool.coordinator));
    const restarted = pool.coordinator.restartToolstack({ downMs: 1_500, initialisingMs: 500 });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
    await restarted;
  });

  test("during a refresh is waited for: the disc is not taken for lost", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const state = await createDisc(argumentsFor(pool.coordinator));
    const restarted = pool.coordinator.restartToolstack({ downMs: 1_500, initialisingMs: 500 });
    await expect(readDisc(state)).resolves.toMatchObject({ props: { status: "ready" } });
    await restarted;
  });
});

test("an SR that comes only after it was looked for is found, not made twice", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { xapi, coordinator } = pool;
  // The answer is lost while sm is still at it. Once its task is asked for, it has ended: the SR came in between.
  let create: string[] = [];
  let hasLooked = false;
  const notice = (words: string[]) => {
    create = words;
    return true;
  };
  xapi.faults.push({
    command: "sr-create",
    when: ({ command, entries }) => notice([command, ...entries.map(([key, value]) => `${key}=${value}`)]),
    effect: { kind: "loseReply", when: "before" },
  });
  xapi.faults.push({
    command: "sr-list",
    when: ({ entries }) => {
      hasLooked ||= !entries.some(([key]) => key === "uuid");
      return false;
    },
    effect: { kind: "delay", ms: 0 },
  });
  xapi.faults.push({
    command: "task-list",
    when: () => {
      if (hasLooked && xapi.srs.length === 0)
        void xapi.run(coordinator.uuid, { words: create.join("\n"), extraArgs: "", rc: "" });
      return false;
    },
    effect: { kind: "delay", ms: 0 },
  });
  const state = await createDisc(argumentsFor(coordinator));
  expect(hasLooked).toBe(true);
  expect(xapi.srs.map(({ uuid }) => uuid)).toEqual([state.srUuid]);
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a disc that nobody takes is undone", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { password } = pool.coordinator.connection;
  const source = await localImage(writeTemporary(imageBytes("#cloud-config")));
  const sha256 = createHash("sha256").update(imageBytes("#cloud-config")).digest("hex");
  const folder = { srMountPath: "/var/opt/xen-iso", uuid: "7b84f233-8aa3-468d-b254-fd585194da21" };
  const marker = pool.coordinator.path(`${pathOf(folder)}/pending`);
  const wasMarked: boolean[] = [];
  const creating = createTempIso(SharedConnection.to(targetOf(pool.coordinator, { password })), {
    folder,
    owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
    image: { source, sha256 },
    isoName: "web-1.iso",
    srName: "web-1",
    signal: new AbortController().signal,
    assertWanted: () => {
      wasMarked.push(existsSync(marker));
      return Promise.reject(new Error("The engine is gone."));
    },
  });
  await expect(creating).rejects.toThrow("The engine is gone.");
  expect(callsOf(pool, "sr-create")).toHaveLength(1);
  // A create that is killed now is cleared by the next one.
  expect(wasMarked[0]).toBe(true);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("another operation in the way is waited for", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const effect = { kind: "fail", code: "OTHER_OPERATION_IN_PROGRESS", params: ["SR"] } as const;
  for (const command of ["sr-create", "pbd-unplug"]) pool.xapi.faults.push({ command, times: 2, effect });
  await deleteDisc(await createDisc(argumentsFor(pool.coordinator)));
  expect(callsOf(pool, "sr-create")).toHaveLength(3);
  expect(callsOf(pool, "pbd-unplug").length).toBeGreaterThanOrEqual(3);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("any other failure is told at once", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const effect = { kind: "fail", code: "INTERNAL_ERROR", params: ["EIO"] } as const;
  pool.xapi.faults.push({ command: "sr-create", times: 100, effect });
  await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(/INTERNAL_ERROR/);
  expect(callsOf(pool, "sr-create")).toHaveLength(1);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a tray that stays locked is given up after a minute, with the VM's name, and nothing removed", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const state = await createDisc(argumentsFor(pool.coordinator));
  const { vm, drives } = pool.xapi.addVm({
    name: "web-1",
    powerState: "running",
    drives: [{ vdiUuid: state.vdiUuid ?? "" }],
  });
  const [drive] = drives;
  if (!drive) throw new Error("The VM was to have a drive.");
  pool.xapi.lockTray(drive);
  // Only the clock by which a wait is measured; all else goes on as it is.
  vi.useFakeTimers({ toFake: ["Date"], shouldAdvanceTime: true });
  const failure = expect(deleteDisc(state)).rejects.toThrow(
    new RegExp(
      `held by VM web-1 \\(${vm.uuid}\\)\\. Eject it in the guest or shut the VM down.*Nothing was removed`,
    ),
  );
  await vi.waitUntil(() => callsOf(pool, "vbd-eject").length >= 2, { timeout: 20_000 });
  vi.setSystemTime(Date.now() + 61_000);
  await failure;
  expect(pool.xapi.pbds).toMatchObject([{ currentlyAttached: true }]);
  expect(existsSync(pool.coordinator.path(`${state.srPath}/${state.isoName}`))).toBe(true);

  pool.xapi.stopVm(vm);
  drive.refusals = undefined;
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});
