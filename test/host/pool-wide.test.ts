import { rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { nothing, poolArguments } from "./pool";
import { checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

const startThree = () => startPool({ transport: "embedded", hosts: 3 });

/** Status, and the hosts that are recorded. */
async function refreshed(state: TempIsoState): Promise<TempIsoState> {
  const { props } = await readDisc(state);
  if (!props) throw new Error("The disc is gone.");
  return props;
}

/** What an up makes of a state that is not replaced. */
async function updated(state: TempIsoState, args: Record<string, unknown>): Promise<TempIsoState> {
  const news = (await checked(args, { ...state })) as never;
  expect(await tempIso.diff("", state, news)).toMatchObject({ changes: true, replaces: [] });
  const { outs } = await tempIso.update("", state, news);
  if (!outs) throw new Error("The update returned no outputs.");
  return outs;
}

const hostAt = (pool: SimulatedPool, index: number): SimulatedHost => {
  const host = pool.hosts[index];
  if (!host) throw new Error(`There is no host ${index}.`);
  return host;
};

const plugged = (pool: SimulatedPool) =>
  pool.xapi.pbds.filter((pbd) => pbd.currentlyAttached).map((pbd) => pbd.hostUuid);

describe("a disc for a whole pool", () => {
  test("is one VDI that every host has, and nothing once it is deleted", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    expect(pool.xapi.srs).toMatchObject([{ uuid: state.srUuid, shared: true }]);
    expect(pool.xapi.vdis).toMatchObject([{ uuid: state.vdiUuid, nameLabel: state.isoName }]);
    expect(plugged(pool)).toEqual(pool.hosts.map(({ uuid }) => uuid));
    expect(state.hosts).toMatchObject(
      pool.hosts.map(({ uuid, name, connection: { host, hostKey } }) => ({
        uuid,
        name,
        address: host,
        pbdUuid: pool.xapi.pbds.find((pbd) => pbd.hostUuid === uuid)?.uuid,
        hostKey,
      })),
    );
    expect((await pool.leftovers()).paths).toHaveLength(3 * 3);
    await expect(readDisc(state)).resolves.toMatchObject({ id: state.srUuid, props: state });

    const { vm, drives } = pool.xapi.addVm({ name: "web", powerState: "running" });
    if (drives[0]) await pool.xapi.insert(drives[0], state.vdiUuid ?? "");
    for (const { uuid } of pool.hosts) pool.xapi.migrateVm(vm, uuid);

    await deleteDisc(state);
    expect(drives[0]?.empty).toBe(true);
    expect(await pool.leftovers()).toEqual(nothing);
    await expect(readDisc(state)).resolves.toEqual({ id: "" });
  });

  test("takes one connection to each host", async () => {
    await using pool = await startThree();
    await createDisc(poolArguments(pool));
    expect(pool.hosts.map(({ connections }) => connections)).toEqual([1, 1, 1]);
  });

  test("is made by way of any host of the pool", async () => {
    await using pool = await startThree();
    const { host, port, hostKey } = hostAt(pool, 1).connection;
    const args = poolArguments(pool);
    const connection = { ...(args["connection"] as object), host, port, hostKey };
    const state = await createDisc({ ...args, connection });
    expect(state).toMatchObject({ hostUuid: hostAt(pool, 1).uuid, host });
    // Another host of the pool is no other host.
    const news = (await checked(args, { ...state })) as never;
    expect(await tempIso.diff("", state, news)).toEqual({ changes: true, replaces: [] });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("on a pool of one host is as any other", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const state = await createDisc(poolArguments(pool));
    expect(state.hosts).toHaveLength(1);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is sent in several streams, and linked where a host has the content already", async () => {
    await using pool = await startThree();
    const isoPath = writeTemporary(
      Buffer.concat([imageBytes("large"), Buffer.alloc(12 * 1024 ** 2 - imageBytes().length)]),
    );
    const args = poolArguments(pool, { isoPath });
    const [one, other] = await Promise.all([
      createDisc(args),
      createDisc({ ...args, owner: `${String(args["owner"])}-2` }),
    ]);
    const writers = pool.hosts.map(
      ({ commands }) => commands.filter(({ command }) => /^write_range /m.test(command)).length,
    );
    expect(writers).toEqual([6, 6, 6]);
    await deleteDisc(one);
    await expect(readDisc(other)).resolves.toMatchObject({ props: { status: "ready" } });
    await deleteDisc(other);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("a create for a whole pool", () => {
  test("is undone on every host when one has no room, before a byte is sent", async () => {
    await using pool = await startThree();
    hostAt(pool, 2).setSpace({ path: "/", totalBytes: 1024 ** 3, availableBytes: 1024, type: "ext2/ext3" });
    await expect(createDisc(poolArguments(pool))).rejects.toThrow(/127\.\S+ .*(room|space)/i);
    expect(
      pool.hosts.flatMap(({ commands }) => commands.filter(({ command }) => /^write_range /m.test(command))),
    ).toEqual([]);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is undone on every host when one cannot attach the SR, and names it", async () => {
    await using pool = await startThree();
    const { uuid } = hostAt(pool, 1);
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails", hostUuid: uuid } });
    pool.xapi.faults.push({ command: "pbd-plug", effect: { kind: "fail", code: "SR_BACKEND_FAILURE_226" } });
    await expect(createDisc(poolArguments(pool))).rejects.toThrow(/^The host xen2 could not attach the SR/);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("plugs what sr-create left unplugged without a word", async () => {
    await using pool = await startThree();
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails" } });
    const state = await createDisc(poolArguments(pool));
    expect(plugged(pool)).toHaveLength(3);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("goes on when the reply of sr-create is lost", async () => {
    await using pool = await startThree();
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "loseReply" } });
    const state = await createDisc(poolArguments(pool));
    expect(pool.xapi.srs).toHaveLength(1);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("refuses a host that is disabled, or skips it with a warning; the next up brings the disc there", async () => {
    await using pool = await startThree();
    const record = pool.xapi.host(hostAt(pool, 2).uuid);
    record.enabled = false;
    await expect(createDisc(poolArguments(pool))).rejects.toThrow(/xen3 of the pool is disabled/);
    expect(await pool.leftovers()).toEqual(nothing);

    const args = poolArguments(pool, { skipOfflineHosts: true });
    const state = await createDisc(args);
    expect(state.hosts?.map(({ name }) => name)).toEqual(["xen1", "xen2"]);
    record.enabled = true;
    const partial = await refreshed(state);
    expect(partial.status).toBe("partial");
    const whole = await updated(partial, args);
    expect(whole).toMatchObject({ status: "ready", vdiUuid: state.vdiUuid });
    expect(whole.hosts).toHaveLength(3);
    await deleteDisc(whole);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("refuses a host that is offline, or skips it", async () => {
    await using pool = await startThree();
    await hostAt(pool, 1).powerOff();
    await expect(createDisc(poolArguments(pool))).rejects.toThrow(/xen2 of the pool is offline/);
    const state = await createDisc(poolArguments(pool, { skipOfflineHosts: true }));
    expect(state.hosts?.map(({ name }) => name)).toEqual(["xen1", "xen3"]);
    expect(await refreshed(state)).toMatchObject({ status: "ready" });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("clears what a killed create of the same resource left on every host", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const killed = await createDisc(args);
    const marker = `owner=${String(args["owner"])}\niso=${killed.isoName}\nsize=0\nsession=1\nstarted=1\n`;
    writeFileSync(pool.coordinator.path(`${killed.srPath}/pending`), marker);
    const state = await createDisc(args);
    expect(pool.xapi.srs).toMatchObject([{ uuid: state.srUuid }]);
    expect((await pool.leftovers()).paths.some((path) => path.includes(killed.srPath))).toBe(false);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("a disc that hosts of the pool lack", () => {
  test("is partial when a host joins; an up brings it there, the disc stays the same", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    const joined = await pool.join();
    const args = poolArguments(pool, { isoPath: state.isoPath });
    // Only the program of today knows the key of the new host.
    const partial = await refreshed(state);
    expect(partial.status).toBe("partial");
    await expect(updated(partial, { ...args, hostConnections: state.hostConnections })).rejects.toThrow(
      /host key/i,
    );
    const whole = await updated(partial, args);
    expect(whole).toMatchObject({ status: "ready", srUuid: state.srUuid, vdiUuid: state.vdiUuid });
    expect(whole.hosts?.map(({ name }) => name)).toEqual(["xen1", "xen2", "xen3", "xen4"]);
    expect(pool.xapi.pbds.find(({ hostUuid }) => hostUuid === joined.uuid)?.currentlyAttached).toBe(true);
    expect(await refreshed(whole)).toMatchObject({ status: "ready" });
    await deleteDisc(whole);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is partial when a host comes back without its folder", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool, { srMountPath: "/var/run/sr-mount" });
    const state = await createDisc(args);
    await pool.coordinator.reboot();
    const partial = await refreshed(state);
    expect(partial.status).toBe("partial");
    const whole = await updated(partial, args);
    expect(whole).toMatchObject({ status: "ready", vdiUuid: state.vdiUuid });
    expect(await refreshed(whole)).toMatchObject({ status: "ready" });
    expect(pool.xapi.vdis).toMatchObject([{ uuid: state.vdiUuid }]);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("stays partial, with nothing left of the attempt, when it cannot be brought there", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const state = await createDisc(args);
    const host = hostAt(pool, 2);
    rmSync(host.path(state.srPath), { recursive: true });
    await host.reboot();
    const partial = await refreshed(state);
    pool.xapi.faults.push({ command: "pbd-plug", effect: { kind: "fail", code: "SR_BACKEND_FAILURE_226" } });
    await expect(updated(partial, args)).rejects.toThrow(/xen3 could not attach/);
    expect((await pool.leftovers()).paths.filter((path) => path.startsWith("xen3:"))).toEqual([]);
    expect(await updated(partial, args)).toMatchObject({ status: "ready" });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is lost when every host lacks it, and replaced", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool, { srMountPath: "/var/run/sr-mount" });
    const state = await createDisc(args);
    for (const host of pool.hosts) await host.reboot();
    const lost = await refreshed(state);
    expect(lost.status).toBe("lost");
    const news = (await checked(args, { ...lost })) as never;
    expect(await tempIso.diff("", lost, news)).toMatchObject({ replaces: ["status"] });
    await deleteDisc(lost);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("the delete of a disc of a whole pool", () => {
  test("is not stopped by a host that joined since, whose key nobody knows", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    await pool.join();
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("skips a host that the pool has forgotten", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    const gone = hostAt(pool, 2);
    await gone.powerOff();
    await expect(deleteDisc(state)).rejects.toThrow(/xen3 is offline.*host-forget/s);
    expect(plugged(pool)).toHaveLength(3);
    pool.xapi.forgetHost(gone.uuid);
    await deleteDisc(state);
    expect((await pool.leftovers()).paths.filter((path) => !path.startsWith("xen3:"))).toEqual([]);
    expect(pool.xapi.srs).toEqual([]);
  });

  test("works by way of another host when the named one is gone", async () => {
    await using pool = await startThree();
    const { host, port, hostKey } = hostAt(pool, 1).connection;
    const args = poolArguments(pool);
    const connection = { ...(args["connection"] as object), host, port, hostKey, dialErrorLimit: 1 };
    const state = await createDisc({ ...args, connection });
    await hostAt(pool, 1).powerOff();
    pool.xapi.forgetHost(hostAt(pool, 1).uuid);
    expect(await refreshed(state)).toMatchObject({ status: "ready" });
    await deleteDisc(state);
    expect(pool.xapi.srs).toEqual([]);
  });

  test("is an error when a host does not answer, or a warning if that is allowed", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const connection = { ...(args["connection"] as object), dialErrorLimit: 1 };
    const state = await createDisc({ ...args, connection });
    await hostAt(pool, 2).stopSshd();
    await expect(deleteDisc(state)).rejects.toThrow(/PULUMI_XEN_DELETE_UNREACHABLE/);
    await setConfiguration({ "xen:deleteUnreachable": "true" });
    await deleteDisc(state);
    expect(pool.xapi.srs).toEqual([]);
    expect((await pool.leftovers()).paths.filter((path) => !path.startsWith("xen3:"))).toEqual([]);
  });
});
