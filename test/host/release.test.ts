import { existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import { isoRelease } from "../../provider/lifecycle/provider";
import type { IsoReleaseState } from "../../provider/lifecycle/iso-release";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { Gate } from "../faults/gate";
import { runCommandLine } from "./command-line";
import { addVm, drivesOf } from "./drive";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** A disc that serves one boot. */
async function start(more: Record<string, unknown> = {}) {
  const pool = await startPool({ transport: "sshd" });
  const disc = await createDisc(argumentsFor(pool.coordinator, { once: true, ...more }));
  return { pool, disc, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}

/** What the engine does for a new release: check, then create. */
async function release(host: SimulatedHost, srUuid: string | undefined): Promise<IsoReleaseState> {
  const { id, outs } = await isoRelease.create(await checkedRelease(host, srUuid));
  expect(id).toBe(srUuid);
  return outs!;
}

async function checkedRelease(host: SimulatedHost, srUuid: string | undefined): Promise<never> {
  const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:IsoRelease::web-1-release";
  const { connection } = argumentsFor(host);
  const { inputs, failures } = await isoRelease.check({}, { srUuid, owner, connection, after: "it is up" });
  expect(failures).toEqual([]);
  return inputs as never;
}

/** A release up to the removal of the folder. */
async function cutOff(pool: SimulatedPool, disc: TempIsoState): Promise<void> {
  const host = pool.coordinator;
  // A disc in a drive is removed step by step.
  addVm(pool, { powerState: "running", drives: [{ vdiUuid: disc.vdiUuid! }] });
  await using gate = await Gate.await(host, { program: "rm", args: /^-f/ });
  const ended = expect(release(host, disc.srUuid)).rejects.toThrow(/Input\/output error/);
  (await gate.halted).fail("Input/output error");
  await ended;
}

describe("a release", () => {
  test("takes the disc out of every drive and away, and its resource is content with that", async () => {
    await using site = await start();
    const { pool, disc } = site;
    const vms = (["running", "halted"] as const).map(
      (powerState) => addVm(pool, { powerState, drives: [{ vdiUuid: disc.vdiUuid! }] }).vm,
    );
    const state = await release(pool.coordinator, disc.srUuid);
    expect(vms.flatMap((vm) => drivesOf(pool, vm))).toEqual(["3: empty", "3: empty"]);
    expect(await pool.leftovers()).toEqual(nothing);
    await expect(readDisc(disc)).resolves.toMatchObject({ id: disc.srUuid, props: { status: "released" } });
    await deleteDisc(disc);
    // Nothing that was needed to reach the host stays in its state.
    expect(Object.keys(state).sort()).toEqual(["owner", "srUuid"]);
  });

  test("is content with an SR that is gone; read and delete do not go to the host", async () => {
    await using site = await start();
    const { pool, disc } = site;
    await deleteDisc(disc);
    const state = await release(pool.coordinator, disc.srUuid);
    const calls = pool.xapi.calls.length;
    await expect(isoRelease.read(state.srUuid, state)).resolves.toEqual({ id: disc.srUuid, props: state });
    await isoRelease.delete();
    expect(pool.xapi.calls).toHaveLength(calls);
  });

  test("finds folder and image from the SR, whatever their names", async () => {
    const names = {
      srMountPath: "/var/run/sr-mount/it's; a (place)",
      isoName: "seed (1), a.iso",
      srName: "it's $(id)",
    };
    await using site = await start(names);
    await release(site.pool.coordinator, site.disc.srUuid);
    expect(await site.pool.leftovers(["/var/run/sr-mount/it's; a (place)"])).toEqual(nothing);
  });

  test("finds the folder by the SR's description where there is no PBD", async () => {
    await using site = await start();
    site.pool.xapi.pbds.splice(0);
    await release(site.pool.coordinator, site.disc.srUuid);
    expect(await site.pool.leftovers()).toEqual(nothing);
  });

  test("clears a corpse", async () => {
    await using site = await start({ srMountPath: "/var/run/sr-mount" });
    await site.pool.coordinator.reboot();
    await release(site.pool.coordinator, site.disc.srUuid);
    expect(await site.pool.leftovers()).toEqual(nothing);
  });

  test.each([
    ["the default mount path", {}],
    ["a mount path of its own, where another disc is", { srMountPath: "/var/opt/other-isos" }],
  ])("that was cut off once its SR was forgotten is found by its folder, in %s", async (_where, more) => {
    await using site = await start(more);
    const { pool, disc } = site;
    const other = await createDisc(argumentsFor(pool.coordinator, more));
    await cutOff(pool, disc);
    // Neither a refresh nor an up makes the disc again, and the command line says whose it is.
    const { props } = await readDisc(disc);
    expect(props).toMatchObject({ status: "released" });
    const listed = await runCommandLine(pool.coordinator, ["list", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      tempIsos: expect.arrayContaining([
        expect.objectContaining({ state: "folder without SR", owner: disc.owner, srPath: disc.srPath }),
      ]) as unknown,
    });

    await release(pool.coordinator, disc.srUuid);
    expect(existsSync(pool.coordinator.path(disc.srPath))).toBe(false);
    await deleteDisc(other);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("that was cut off can be swept", async () => {
    await using site = await start();
    await cutOff(site.pool, site.disc);
    const swept = await runCommandLine(site.pool.coordinator, ["sweep", "--lost", "--yes"]);
    expect(swept).toMatchObject({ status: 0 });
    expect(await site.pool.leftovers()).toEqual(nothing);
  });

  test("that fails in its midst goes on with the next up", async () => {
    await using site = await start();
    const { pool, disc } = site;
    const notes = pool.coordinator.path(`${disc.srPath}/notes.txt`);
    writeFileSync(notes, "mine");
    const failure = await release(pool.coordinator, disc.srUuid).then(
      () => expect.unreachable(),
      (error: unknown) => error as { id: string; properties: IsoReleaseState; reasons: string[] },
    );
    expect(failure).toMatchObject({ id: disc.srUuid, reasons: [expect.stringMatching(/notes\.txt/)] });
    expect(failure.properties).not.toHaveProperty("connection");
    expect(pool.xapi.srs).toEqual([]);
    rmSync(notes);

    const news = await checkedRelease(pool.coordinator, disc.srUuid);
    await expect(isoRelease.diff("", failure.properties, news)).resolves.toMatchObject({ changes: true });
    const { outs } = await isoRelease.update("", failure.properties, news);
    expect(await pool.leftovers()).toEqual(nothing);
    await expect(isoRelease.diff("", outs!, news)).resolves.toMatchObject({ changes: false });
  });
});

describe("a release is refused, with nothing changed, when", () => {
  function expectUntouched({ pool, disc }: Awaited<ReturnType<typeof start>>): void {
    expect(pool.xapi.pbds).toMatchObject([{ srUuid: disc.srUuid, currentlyAttached: true }]);
    // A mark that the release has begun is no harm: it counts only once the SR is gone.
    const files = readdirSync(pool.coordinator.path(disc.srPath)).filter((name) => name !== "released");
    expect(files).toEqual(["image", disc.isoName]);
  }

  test.each([
    ["somebody else's", () => "ISO library"],
    [
      "somebody's who calls it much the same",
      ({ owner }: TempIsoState) => `Temporary ISO of ${owner} (pulumi-xen-iso)`,
    ],
    [
      "one whose folder is not the one it names",
      ({ owner }: TempIsoState) =>
        `Temporary ISO of ${owner} in folder 7b84f233-8aa3-468d-b254-fd585194da21 (pulumi-xen-iso)`,
    ],
  ])("the SR is %s", async (_title, description) => {
    await using site = await start();
    const sr = site.pool.xapi.sr(site.disc.srUuid!);
    sr.nameDescription = description(site.disc);
    await expect(release(site.pool.coordinator, sr.uuid)).rejects.toThrow(
      `The SR ${sr.nameLabel} (${sr.uuid}) in the pool of ${site.pool.coordinator.connection.host}`,
    );
    expectUntouched(site);
  });

  test("there is another image in the folder", async () => {
    await using site = await start();
    writeFileSync(site.pool.coordinator.path(`${site.disc.srPath}/other.iso`), "mine");
    await site.pool.xapi.storage.scan(site.pool.xapi.sr(site.disc.srUuid!));
    await expect(release(site.pool.coordinator, site.disc.srUuid)).rejects.toThrow(
      /is not, or no longer, that of a temporary ISO/,
    );
    expect(site.pool.xapi.vdis).toHaveLength(2);
  });

  test("a suspended VM has the disc", async () => {
    await using site = await start();
    addVm(site.pool, { powerState: "suspended", drives: [{ vdiUuid: site.disc.vdiUuid! }] });
    await expect(release(site.pool.coordinator, site.disc.srUuid)).rejects.toThrow(
      /in the drive of the suspended VM web-1.*Nothing was removed/,
    );
    expectUntouched(site);
  });

  test("the disc is on another host of the pool", async () => {
    await using pool = await startPool({ transport: "sshd", hosts: 2 });
    const disc = await createDisc(argumentsFor(pool.coordinator));
    await expect(release(pool.hosts[1]!, disc.srUuid)).rejects.toThrow(
      /is on another host of the pool than .*Set connection\.host to the one on which the disc was made/,
    );
    expect(pool.xapi.srs).toHaveLength(1);
  });
});
