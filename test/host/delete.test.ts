import { readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import type { TempIsoInputs } from "../../provider/lifecycle/inputs";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { type SimulatedPool, startPool } from "../simulator";
import { nothing } from "./pool";
import { argumentsFor, checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** A disc on a host of its own. */
async function start(more: Record<string, unknown> = {}, hosts = 1) {
  const pool = await startPool({ transport: "embedded", hosts });
  const state = await createDisc(argumentsFor(pool.coordinator, more));
  const file = pool.coordinator.path(`${state.srPath}/${state.isoName}`);
  return {
    pool,
    state,
    file,
    folder: pool.coordinator.path(state.srPath),
    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}

/** A VM with the disc in its drive. */
function addHolder({ pool, state }: { pool: SimulatedPool; state: TempIsoState }, vm: object) {
  const drives = [{ vdiUuid: state.vdiUuid ?? "" }];
  const {
    vm: record,
    drives: [drive],
  } = pool.xapi.addVm({ name: "web-1", drives, ...vm });
  if (!drive) throw new Error("The VM was to have a drive.");
  return { vm: record, drive };
}

async function expectNothingRemoved({
  pool,
  state,
}: {
  pool: SimulatedPool;
  state: TempIsoState;
}): Promise<void> {
  expect(pool.xapi.srs.map(({ uuid }) => uuid)).toContain(state.srUuid);
  expect(pool.xapi.pbds.every(({ currentlyAttached }) => currentlyAttached)).toBe(true);
  expect((await pool.leftovers()).paths).toHaveLength(3);
}

describe("a delete takes the disc out of", () => {
  test.each(["running", "halted", "paused"])("the drive of a %s VM", async (powerState) => {
    await using disc = await start();
    const { drive } = addHolder(disc, { powerState });
    await deleteDisc(disc.state);
    expect(drive).toMatchObject({ empty: true });
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });

  test("several drives", async () => {
    await using disc = await start();
    const drives = ["running", "running", "halted"].map(
      (powerState) => addHolder(disc, { powerState }).drive,
    );
    await deleteDisc(disc.state);
    expect(drives).toMatchObject([{ empty: true }, { empty: true }, { empty: true }]);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });

  test("a drive whose tray the guest holds for a while", async () => {
    await using disc = await start();
    const { drive } = addHolder(disc, { powerState: "running" });
    disc.pool.xapi.lockTray(drive, { times: 2 });
    await deleteDisc(disc.state);
    expect(drive).toMatchObject({ empty: true });
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });
});

describe("a delete refuses, and removes nothing, when", () => {
  test("a suspended VM has the disc in its drive", async () => {
    await using disc = await start();
    const { vm } = addHolder(disc, { powerState: "suspended" });
    await expect(deleteDisc(disc.state)).rejects.toThrow(
      `The disc is in the drive of the suspended VM web-1 (${vm.uuid}). Resume it or shut it down`,
    );
    await expectNothingRemoved(disc);
  });

  test("a VM has the disc as a disk", async () => {
    await using disc = await start();
    addHolder(disc, { powerState: "running", drives: [{ type: "Disk", vdiUuid: disc.state.vdiUuid }] });
    await expect(deleteDisc(disc.state)).rejects.toThrow(/attached to VM web-1 \(.*\) as a disk/);
    await expectNothingRemoved(disc);
  });

  test("another host answers at the address", async () => {
    await using disc = await start();
    writeFileSync(disc.pool.coordinator.path("/etc/xensource-inventory"), "INSTALLATION_UUID='other'\n");
    await expect(deleteDisc(disc.state)).rejects.toThrow(
      /is not the host on which the disc was made.*pulumi state delete/,
    );
    await expect(readDisc(disc.state)).rejects.toThrow(/is not the host on which the disc was made/);
    await expectNothingRemoved(disc);
  });
});

describe("a delete does not mind that there is no", () => {
  test("SR", async () => {
    await using disc = await start();
    disc.pool.xapi.forgetSr(disc.state.srUuid ?? "");
    await deleteDisc(disc.state);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });

  test("file", async () => {
    await using disc = await start();
    rmSync(disc.file);
    await deleteDisc(disc.state);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });

  test("folder", async () => {
    await using disc = await start();
    rmSync(disc.folder, { recursive: true });
    await deleteDisc(disc.state);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });

  test("PBD", async () => {
    await using disc = await start();
    disc.pool.xapi.pbds.splice(0);
    await deleteDisc(disc.state);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });

  test("disc at all", async () => {
    await using disc = await start();
    await deleteDisc(disc.state);
    await deleteDisc(disc.state);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });
});

test("a delete unplugs once more when a toolstack that restarted has plugged the PBD again", async () => {
  await using disc = await start();
  const { xapi } = disc.pool;
  let restarts = 0;
  const restarted = () => {
    if (restarts++ < 2) for (const pbd of xapi.pbds) pbd.currentlyAttached = true;
    return false;
  };
  xapi.faults.push({ command: "sr-forget", when: restarted, effect: { kind: "delay", ms: 0 } });
  await deleteDisc(disc.state);
  expect(restarts).toBe(3);
  expect(await disc.pool.leftovers()).toEqual(nothing);
});

test("a delete finds PBDs that a pool join has made anew", async () => {
  await using disc = await start();
  const [old] = disc.pool.xapi.pbds.splice(0);
  if (old) disc.pool.xapi.pbds.push({ ...old, uuid: "7b84f233-8aa3-468d-b254-fd585194da21" });
  await expect(readDisc(disc.state)).resolves.toMatchObject({
    props: { status: "ready", pbdUuid: "7b84f233-8aa3-468d-b254-fd585194da21" },
  });
  await deleteDisc(disc.state);
  expect(await disc.pool.leftovers()).toEqual(nothing);
});

test("a snapshot that names the disc does not stand in the way", async () => {
  await using disc = await start();
  const { vm } = addHolder(disc, { powerState: "running" });
  disc.pool.xapi.addSnapshot(vm, { isCheckpoint: true });
  await deleteDisc(disc.state);
  expect(await disc.pool.leftovers()).toEqual(nothing);
});

test("what is not ours in the folder is kept, and named", async () => {
  await using disc = await start();
  writeFileSync(`${disc.folder}/notes.txt`, "mine");
  await expect(deleteDisc(disc.state)).rejects.toThrow(/could not be removed.*notes\.txt/s);
  expect(readdirSync(disc.folder)).toEqual(["notes.txt"]);
});

test("a link in the folder's place is not followed", async () => {
  await using disc = await start();
  const elsewhere = `${disc.folder}-elsewhere`;
  renameSync(disc.folder, elsewhere);
  symlinkSync(elsewhere, disc.folder);
  await expect(deleteDisc(disc.state)).rejects.toThrow(/could not be removed.*It is a link/s);
  expect(readdirSync(elsewhere)).toEqual(["image", disc.state.isoName]);
});

/** What the engine does for a resource whose arguments are the same: check, diff, and update if that says so. */
async function upAgain(state: TempIsoState) {
  const inputs = { ...(await checked(argumentsOf(state), state as never)) } as TempIsoInputs;
  const { changes, replaces } = await tempIso.diff(state.srUuid ?? "", state, inputs);
  const { outs } = await tempIso.update(state.srUuid ?? "", state, inputs);
  return { changes, replaces, outs };
}

/** The arguments in a state. */
function argumentsOf({ isoPath, owner, connection, srMountPath }: TempIsoState): Record<string, unknown> {
  return { isoPath, owner, connection, srMountPath };
}

describe("a read", () => {
  test("says lost when the file is missing, and a delete clears it", async () => {
    await using disc = await start();
    rmSync(disc.file);
    await expect(readDisc(disc.state)).resolves.toMatchObject({
      id: disc.state.srUuid,
      props: { status: "lost" },
    });
  });

  test("says lost when the SR was forgotten by hand", async () => {
    await using disc = await start();
    disc.pool.xapi.forgetSr(disc.state.srUuid ?? "");
    await expect(readDisc(disc.state)).resolves.toMatchObject({ props: { status: "lost" } });
  });

  test("says partial when the PBD is unplugged, and the next up plugs it under its VM", async () => {
    await using disc = await start();
    addHolder(disc, { powerState: "halted" });
    for (const pbd of disc.pool.xapi.pbds) pbd.currentlyAttached = false;
    const { props } = await readDisc(disc.state);
    expect(props).toMatchObject({ status: "partial", vdiUuid: disc.state.vdiUuid });

    const { outs, changes, replaces } = await upAgain(props as TempIsoState);
    expect({ changes, replaces }).toEqual({ changes: true, replaces: [] });
    expect(outs).toEqual(disc.state);
    await expect(readDisc(disc.state)).resolves.toMatchObject({ props: { status: "ready" } });
  });

  test("says partial, and lost once an up could not plug it", async () => {
    await using disc = await start();
    for (const pbd of disc.pool.xapi.pbds) pbd.currentlyAttached = false;
    const { props } = await readDisc(disc.state);
    const effect = { kind: "fail", code: "SR_BACKEND_FAILURE_226", params: ["", "x", ""] } as const;
    disc.pool.xapi.faults.push({ command: "pbd-plug", effect });
    const { outs } = await upAgain(props as TempIsoState);
    expect(outs).toMatchObject({ status: "lost" });
    expect((await upAgain(outs as TempIsoState)).replaces).toEqual(["status"]);
  });

  test("finds a disc on disk after a reboot", async () => {
    await using disc = await start();
    await disc.pool.coordinator.reboot();
    await expect(readDisc(disc.state)).resolves.toMatchObject({ props: { status: "ready" } });
  });

  test("says lost of a disc in memory after a reboot, and a delete clears the corpse", async () => {
    await using disc = await start({ srMountPath: "/var/run/sr-mount" });
    const { drive } = addHolder(disc, { powerState: "suspended" });
    await disc.pool.coordinator.reboot();
    await expect(readDisc(disc.state)).resolves.toMatchObject({ props: { status: "lost" } });
    // A suspended VM that names a corpse's disc cannot have it back: it is forgotten all the same.
    expect(drive.vdiUuid).toBe(disc.state.vdiUuid);
    await deleteDisc(disc.state);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });
});

describe("a disc that serves one boot", () => {
  test("is released once it is gone, and a delete is content with that", async () => {
    await using disc = await start({ once: true });
    await deleteDisc(disc.state);
    const { id, props } = await readDisc(disc.state);
    expect({ id, props }).toMatchObject({ id: disc.state.srUuid, props: { status: "released" } });
    await expect(readDisc(props as TempIsoState)).resolves.toMatchObject({ props: { status: "released" } });
    await deleteDisc(props as TempIsoState);
    expect(await disc.pool.leftovers()).toEqual(nothing);
  });

  test("is lost as any other where half of it is left", async () => {
    await using disc = await start({ once: true });
    disc.pool.xapi.forgetSr(disc.state.srUuid ?? "");
    await expect(readDisc(disc.state)).resolves.toMatchObject({ props: { status: "lost" } });
  });

  test("is dropped where its create failed and nothing is left", async () => {
    await using disc = await start({ once: true });
    await deleteDisc(disc.state);
    await expect(readDisc({ ...disc.state, status: "incomplete" })).resolves.toEqual({ id: "" });
  });
});

describe("in a pool", () => {
  test("the disc goes to the member that was asked, whoever the coordinator is", async () => {
    await using pool = await startPool({ transport: "embedded", hosts: 2 });
    const member = pool.hosts[1];
    if (!member) throw new Error("The pool was to have a member.");
    const state = await createDisc(argumentsFor(member));
    expect(state.hostUuid).toBe(member.uuid);
    expect(pool.xapi.pbds).toMatchObject([{ hostUuid: member.uuid, currentlyAttached: true }]);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("a member whose coordinator is down says so, at once", async () => {
    await using pool = await startPool({ transport: "embedded", hosts: 2 });
    const member = pool.hosts[1];
    if (!member) throw new Error("The pool was to have a member.");
    pool.xapi.toolstack(member.uuid).isInEmergencyMode = true;
    await expect(createDisc(argumentsFor(member))).rejects.toThrow(
      /HOST_IN_EMERGENCY_MODE.*pool coordinator does not answer/,
    );
    expect(await pool.leftovers()).toEqual(nothing);
  });
});
