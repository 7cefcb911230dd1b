import { existsSync, rmSync } from "node:fs";
import { utils } from "ssh2";
import { beforeEach, describe, expect, test } from "vitest";
import { folderAt } from "../../provider/host/folder";
import { copyOwner, ownerText } from "../../provider/host/marker";
import { tempIso } from "../../provider/lifecycle/provider";
import { type SimulatedHost, startPool } from "../simulator";
import { markFolder } from "./pending";
import { hostConnectionsOf, nothing, pluggedHosts, poolArguments, refreshed, threeOf, updated } from "./pool";
import { checked, createDisc, deleteDisc, setConfiguration } from "./resource";
import { warningsOfThisFile } from "./warnings";

const warnings = warningsOfThisFile();

beforeEach(() => setConfiguration());

const startThree = () => startPool({ transport: "embedded", hosts: 3 });

const uploadsTo = (host: SimulatedHost) =>
  host.commands.filter(({ command }) => /^write_range /m.test(command)).length;

/** What `pbd-plug` says of a PBD once. */
const refused = { kind: "fail", code: "SR_BACKEND_FAILURE_226" } as const;

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

  test("keeps the image where it cannot be attached; the next up only attaches it", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const state = await createDisc(args);
    const [, , host] = threeOf(pool);
    rmSync(host.path(state.srPath), { recursive: true });
    await host.reboot();
    const partial = await refreshed(state);
    pool.xapi.faults.push({ command: "pbd-plug", effect: refused });
    await expect(updated(partial, args)).rejects.toThrow(/xen3 could not attach/);
    expect(uploadsTo(host)).toBe(2);
    expect(await updated(await refreshed(state), args)).toMatchObject({ status: "ready" });
    expect(uploadsTo(host)).toBe(2);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is brought to one of two hosts when the other cannot attach it", async () => {
    await using pool = await startThree();
    const state = await createDisc(poolArguments(pool));
    const [third, fourth] = [await pool.join(), await pool.join()];
    const args = poolArguments(pool, { isoPath: state.isoPath });
    const pbdOf = ({ uuid }: SimulatedHost) => pool.xapi.pbds.find(({ hostUuid }) => hostUuid === uuid);
    pool.xapi.faults.push({
      command: "pbd-plug",
      when: (given) => given.need("uuid") === pbdOf(fourth)?.uuid,
      effect: refused,
    });
    await expect(updated(await refreshed(state), args)).rejects.toThrow(/xen5 could not attach/);
    expect(pluggedHosts(pool)).toContain(third.uuid);
    const { paths } = await pool.leftovers();
    expect(paths).toContain(`xen4:${state.srPath}/${state.isoName}`);

    expect(await updated(await refreshed(state), args)).toMatchObject({ status: "ready" });
    expect([third, fourth].map(uploadsTo)).toEqual([1, 1]);
    await deleteDisc(await refreshed({ ...state, hostConnections: args["hostConnections"] as never }));
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

  test("is partial when some of them cannot be looked at and are skipped", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool, { skipOfflineHosts: true });
    const connection = { ...(args["connection"] as object), dialErrorLimit: 1 };
    const state = await createDisc({ ...args, connection });
    const [, second, third] = threeOf(pool);
    for (const host of [second, third]) rmSync(host.path(state.srPath), { recursive: true });
    for (const host of [second, third]) await host.reboot();
    await third.stopSshd();
    const partial = await updated(await refreshed(state), { ...args, connection });
    expect(partial).toMatchObject({ status: "partial" });
    expect(pluggedHosts(pool)).toContain(second.uuid);
    await third.startSshd();
    expect(await updated(partial, { ...args, connection })).toMatchObject({ status: "ready" });
  });

  test("is brought to a host with a new key that the program names", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const made = await createDisc(args);
    const [, , third] = threeOf(pool);
    const former = utils.generateKeyPairSync("ed25519").public;
    const fields = hostConnectionsOf(pool);
    const state = {
      ...made,
      hostConnections: { ...fields, xen3: { ...fields[third.name], hostKey: former } },
      hosts: made.hosts!.map((host) => (host.uuid === third.uuid ? { ...host, hostKey: former } : host)),
    };
    await expect(refreshed(state)).rejects.toThrow(/host key.*hostConnections: \{ "xen3"/is);
    const after = await updated(state, args);
    expect(after.hosts?.map(({ hostKey }) => hostKey)).toEqual(
      pool.hosts.map(({ connection }) => connection.hostKey),
    );
    expect(await refreshed(after)).toMatchObject({ status: "ready" });
  });
});

describe("a disc that has its image on every host", () => {
  test.each([
    ["one host", 1],
    ["three hosts", 3],
  ])("and is attached on none of %s is attached again by an up, without its image", async (_name, hosts) => {
    await using pool = await startPool({ transport: "embedded", hosts });
    const args = poolArguments(pool);
    const state = await createDisc(args);
    for (const pbd of pool.xapi.pbds) pbd.currentlyAttached = false;
    const partial = await refreshed(state);
    expect(partial.status).toBe("partial");
    const news = (await checked(args, { ...partial })) as never;
    rmSync(String(args["isoPath"]));
    const { outs } = await tempIso.update("", partial, news);
    expect(outs).toMatchObject({ status: "ready", vdiUuid: state.vdiUuid });
    expect(pluggedHosts(pool)).toHaveLength(hosts);
    expect(pool.hosts.map(uploadsTo)).toEqual(pool.hosts.map(() => 1));
    await deleteDisc(outs!);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("keeps it where it cannot be attached, for the next start of the toolstack", async () => {
    await using pool = await startThree();
    const args = poolArguments(pool);
    const state = await createDisc(args);
    const [, second] = threeOf(pool);
    for (const pbd of pool.xapi.pbds) pbd.currentlyAttached &&= pbd.hostUuid !== second.uuid;
    pool.xapi.faults.push({ command: "pbd-plug", effect: refused });
    await expect(updated(await refreshed(state), args)).rejects.toThrow(/xen2 could not attach/);
    await second.restartToolstack();
    expect(await refreshed(state)).toMatchObject({ status: "ready" });
    expect(uploadsTo(second)).toBe(1);
  });

  test("is lost, with a warning, once no host can attach it", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const args = poolArguments(pool);
    const state = await createDisc(args);
    for (const pbd of pool.xapi.pbds) pbd.currentlyAttached = false;
    pool.xapi.faults.push({ command: "pbd-plug", effect: refused });
    const lost = await updated(await refreshed(state), args);
    expect(lost.status).toBe("lost");
    expect(warnings()).toEqual([expect.stringMatching(/xen1 could not attach.*next `pulumi up` replaces/s)]);
    await deleteDisc(lost);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("a copy to a host that lacks the disc", () => {
  /** A disc whose folder is gone on the third host, which has booted since. */
  async function start() {
    const pool = await startThree();
    const args = poolArguments(pool);
    const state = await createDisc(args);
    const [, , host] = threeOf(pool);
    rmSync(host.path(state.srPath), { recursive: true });
    await host.reboot();
    const { owner, isoName } = state;
    const mark = (path: string, isAlive: boolean) =>
      markFolder(host, path, {
        owner: ownerText(copyOwner({ owner, folder: folderAt(path) })),
        isoName,
        isAlive,
      });
    const partial = await refreshed(state);
    return { pool, args, state: partial, mark, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
  }

  test("clears what a killed one left, and is not stopped by what one left of an older disc", async () => {
    await using scene = await start();
    scene.mark(scene.state.srPath, false);
    scene.mark("/var/opt/xen-iso/7b84f233-8aa3-468d-b254-fd585194da21", false);
    expect(await updated(scene.state, scene.args)).toMatchObject({ status: "ready" });
    const [, , host] = threeOf(scene.pool);
    expect(existsSync(host.path(`${scene.state.srPath}/pending`))).toBe(false);
  });

  test("waits for one that runs", async () => {
    await using scene = await start();
    const marker = scene.mark(scene.state.srPath, true);
    const updating = updated(scene.state, scene.args);
    setTimeout(() => rmSync(marker), 1_000);
    expect(await updating).toMatchObject({ status: "ready" });
    const [, , host] = threeOf(scene.pool);
    const clears = host.commands.filter(({ command }) => /^clear_folder /m.test(command));
    expect(clears.length).toBeGreaterThan(1);
  });
});
