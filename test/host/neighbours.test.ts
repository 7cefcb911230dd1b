import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { Gate } from "../faults/gate";
import { startPool } from "../simulator";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

const urn = (stack: string) => `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1`;

describe("two stacks on one host", () => {
  test("make, read and delete discs of the same names side by side", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const names = { srName: "seed", isoName: "seed.iso" };
    const stacks = ["dev", "prod"].map((stack) =>
      argumentsFor(pool.coordinator, { ...names, owner: urn(stack) }),
    );
    const states = await Promise.all(stacks.map((args) => createDisc(args)));
    expect(new Set(states.map(({ vdiUuid }) => vdiUuid)).size).toBe(2);

    const [dev, prod] = states as [(typeof states)[0], (typeof states)[0]];
    await Promise.all([
      deleteDisc(dev),
      expect(readDisc(prod)).resolves.toMatchObject({ props: { status: "ready" } }),
    ]);
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([prod.srUuid]);
    expect(existsSync(pool.coordinator.path(`${prod.srPath}/seed.iso`))).toBe(true);
    await deleteDisc(prod);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  // Two backends can hold one URN, and a replacement is made before the old one is deleted.
  test("that have the same URN leave each other's complete discs alone", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const args = argumentsFor(pool.coordinator, { owner: urn("dev") });
    const first = await createDisc(args);
    const second = await createDisc(args);
    await expect(readDisc(first)).resolves.toMatchObject({
      props: { status: "ready", srUuid: first.srUuid },
    });
    await deleteDisc(second);
    await expect(readDisc(first)).resolves.toMatchObject({ props: { status: "ready" } });
    await deleteDisc(first);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("that have the same URN in two organizations leave each other's killed creates alone", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const host = pool.coordinator;
    const args = argumentsFor(host, { owner: urn("dev") });
    const folder = host.path("/var/opt/xen-iso/2f6f6b8c-8f0e-4a39-9a0e-3c1c6c0f5d10");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const marker = `owner=${urn("dev")}\tacme\niso=web-1.iso\nsize=1\nsession=1\nstarted=1\n`;
    writeFileSync(join(folder, "pending"), marker, { mode: 0o600 });

    const other = await createDisc({ ...args, organization: "other" });
    expect(existsSync(folder)).toBe(true);
    const acme = await createDisc({ ...args, organization: "acme" });
    expect(existsSync(folder)).toBe(false);
    for (const state of [other, acme]) await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("that have the same URN and create at the same time wait for one another", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const args = argumentsFor(pool.coordinator, { owner: urn("dev") });
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "delay", ms: 1_000 } });
    const states = await Promise.all([createDisc(args), createDisc(args)]);
    expect(pool.xapi.srs.map(({ uuid }) => uuid).sort()).toEqual(states.map(({ srUuid }) => srUuid).sort());
    for (const state of states) await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test("a refresh finds a disc lost whose file goes while it looks", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  const state = await createDisc(argumentsFor(host));
  await using gate = await Gate.await(host, { program: "stat", args: /^-c %s --/ });
  const reading = readDisc(state);
  const call = await gate.halted;
  rmSync(host.path(`${state.srPath}/${state.isoName}`));
  call.run();
  await expect(reading).resolves.toMatchObject({ props: { status: "lost" } });
});

test("a template that names the disc does not stand in the way of a delete", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const state = await createDisc(argumentsFor(pool.coordinator));
  pool.xapi.addVm({ name: "golden", isATemplate: true, drives: [{ vdiUuid: state.vdiUuid ?? "" }] });
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});

test.each(["with", "without"])(
  "a disc on disk outlives a reboot, %s a refresh in between",
  async (refresh) => {
    await using pool = await startPool({ transport: "sshd" });
    const state = await createDisc(argumentsFor(pool.coordinator));
    await pool.coordinator.reboot();
    if (refresh === "with")
      await expect(readDisc(state)).resolves.toMatchObject({ id: state.srUuid, props: state });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  },
);

test.each(["with", "without"])(
  "a disc in memory is lost by a reboot, and a destroy clears what is left, %s a refresh in between",
  async (refresh) => {
    await using pool = await startPool({ transport: "sshd" });
    const state = await createDisc(argumentsFor(pool.coordinator, { srMountPath: "/var/run/sr-mount" }));
    await pool.coordinator.reboot();
    if (refresh === "with")
      await expect(readDisc(state)).resolves.toMatchObject({ props: { status: "lost" } });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  },
);
