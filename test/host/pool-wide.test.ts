import { writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Gate } from "../faults/gate";
import { Proxy, type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { markFolder } from "./pending";
import { hostConnectionsOf, nothing, pluggedHosts, poolArguments, refreshed, updated } from "./pool";
import { checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";
import { warningsOfThisFile } from "./warnings";

const warnings = warningsOfThisFile();

beforeEach(() => setConfiguration());

const startThree = () => startPool({ transport: "embedded", hosts: 3 });

const hostAt = (pool: SimulatedPool, index: number): SimulatedHost => {
  const host = pool.hosts[index];
  if (!host) throw new Error(`There is no host ${index}.`);
  return host;
};

describe("a disc for a whole pool", () => {
  test("is one VDI that every host has, and nothing once it is deleted", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    expect(pool.xapi.srs).toMatchObject([{ uuid: state.srUuid, shared: true }]);
    expect(pool.xapi.vdis).toMatchObject([{ uuid: state.vdiUuid, nameLabel: state.isoName }]);
    expect(pluggedHosts(pool)).toEqual(pool.hosts.map(({ uuid }) => uuid));
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

  test("is named by its URN of today after a refresh, or an update", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const state = await createDisc(args);
    const descriptionWith = (stack: string) => expect.stringContaining(`urn:pulumi:${stack}::`) as string;
    const owner = state.owner.replace(/^urn:pulumi:[^:]+/, "urn:pulumi:renamed");
    await readDisc({ ...state, owner });
    expect(pool.xapi.srs).toMatchObject([{ nameDescription: descriptionWith("renamed") }]);
    const again = owner.replace("renamed", "renamed-again");
    await updated(state, { ...args, owner: again, skipOfflineHosts: true });
    expect(pool.xapi.srs).toMatchObject([{ nameDescription: descriptionWith("renamed-again") }]);
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
    expect(pluggedHosts(pool)).toHaveLength(3);
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

  test("clears what a killed create of one host left on a member, the SR that comes later too", async () => {
    await using pool = await startThree();
    const { poolWide: _wide, hostConnections: _others, ...single } = poolArguments(pool);
    const { host, port, hostKey } = hostAt(pool, 1).connection;
    const connection = { ...(single["connection"] as object), host, port, hostKey };
    const killed = await createDisc({ ...single, connection });
    const { owner, isoName } = killed;
    markFolder(hostAt(pool, 1), killed.srPath, { owner, isoName, isAlive: false });
    const { xapi } = pool;
    const inFlight = { srs: xapi.srs.splice(0), pbds: xapi.pbds.splice(0), vdis: xapi.vdis.splice(0) };
    setTimeout(() => {
      xapi.srs.push(...inFlight.srs);
      xapi.pbds.push(...inFlight.pbds);
      xapi.vdis.push(...inFlight.vdis);
    }, 1_500);
    const state = await createDisc(poolArguments(pool));
    expect(xapi.srs).toMatchObject([{ uuid: state.srUuid }]);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("links an image again after a lost reply, on a host that has room for nothing else", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const first = await createDisc(args);
    const full = hostAt(pool, 2);
    full.setSpace({ path: "/", totalBytes: 1024 ** 3, availableBytes: 1024, type: "ext2/ext3" });
    await using link = await Proxy.start(full.connection);
    const hostConnections = {
      ...hostConnectionsOf(pool),
      xen3: { host: link.host, port: link.port, hostKey: full.connection.hostKey },
    };
    await using gate = await Gate.await(full, { program: "mkdir", args: /^-- [0-9a-f-]{36}$/ });
    const owner = `${String(args["owner"])}-2`;
    const creating = createDisc({ ...args, owner, hostConnections });
    const call = await gate.halted;
    link.dropAll();
    call.run();
    const second = await creating;
    expect(full.commands.filter(({ command }) => /^write_range /m.test(command))).toHaveLength(1);
    await deleteDisc(second);
    await deleteDisc(first);
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

/** The state of a disc by way of a host that was ejected; `now` plays that host, in its pool of one. */
const asEjected = (made: TempIsoState, ejected: SimulatedHost, now: SimulatedHost): TempIsoState => {
  const { host, port, hostKey } = now.connection;
  return {
    ...made,
    host,
    port,
    hostKey,
    connection: { ...made.connection, dialErrorLimit: 1 },
    hosts: made.hosts!.map((each) =>
      each.uuid === ejected.uuid ? { ...each, uuid: now.uuid, hostKey } : each,
    ),
  };
};

describe("the delete of a disc of a whole pool", () => {
  test("is not stopped by a host that joined since, whose key nobody knows", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    const joined = await pool.join();
    const off = await pool.join();
    await off.powerOff();
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
    const folder = state.srPath.replace(/.*\//, "");
    expect(warnings()).toEqual([
      expect.stringMatching(
        `host xen4 joined the pool.*\`npx pulumi-xen-iso sweep --host ${joined.connection.host} --uuid ${folder}\``,
      ),
    ]);
  });

  test("goes to the pool of the other hosts when the named one was ejected from it", async () => {
    await using pool = await startThree();
    // After pool-eject, a host is a pool of its own.
    await using other = await startPool({ transport: "embedded" });
    const ejected = hostAt(pool, 2);
    const state = asEjected(await createDisc(poolArguments(pool)), ejected, other.coordinator);
    pool.xapi.forgetHost(ejected.uuid);
    expect(await refreshed(state)).toMatchObject({ status: "ready" });
    await deleteDisc(state);
    const { srs, paths } = await pool.leftovers();
    expect(srs).toEqual([]);
    expect(paths.filter((path) => !path.startsWith("xen3:"))).toEqual([]);
    await expect(readDisc(state)).resolves.toEqual({ id: "" });
  });

  test("is an error while the named host is in another pool and no host of the disc's answers", async () => {
    await using pool = await startThree();
    await using other = await startPool({ transport: "embedded" });
    const state = asEjected(await createDisc(poolArguments(pool)), hostAt(pool, 2), other.coordinator);
    for (const each of pool.hosts) await each.stopSshd();
    await expect(deleteDisc(state)).rejects.toThrow(/Nothing listens.*PULUMI_XEN_DELETE_UNREACHABLE/);
  });

  test("skips a host that the pool has forgotten", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    const gone = hostAt(pool, 2);
    await gone.powerOff();
    await expect(deleteDisc(state)).rejects.toThrow(/xen3 is offline.*host-forget/s);
    expect(pluggedHosts(pool)).toHaveLength(3);
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
    const error = await deleteDisc(state).catch((thrown: unknown) => thrown as Error);
    expect(error?.message.match(/If the host is gone for good/g)).toHaveLength(1);
    await setConfiguration({ "xen:deleteUnreachable": "true" });
    await deleteDisc(state);
    expect(pool.xapi.srs).toEqual([]);
    expect((await pool.leftovers()).paths.filter((path) => !path.startsWith("xen3:"))).toEqual([]);
    expect(warnings()).toEqual([expect.stringMatching(/is left on xen3/)]);
  });

  test("of one whose create was cut off promises nothing for a host that does not answer", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const connection = { ...(args["connection"] as object), dialErrorLimit: 1 };
    const made = await createDisc({ ...args, connection });
    const { srUuid: _sr, vdiUuid: _vdi, pbdUuid: _pbd, hostUuid: _host, ...rest } = made;
    await hostAt(pool, 2).stopSshd();
    await setConfiguration({ "xen:deleteUnreachable": "true" });
    await deleteDisc({ ...rest, status: "incomplete" });
    expect(warnings()).toEqual([expect.stringMatching(/is left on xen3/)]);
    expect(pool.xapi.srs).toEqual([]);
  });
});
