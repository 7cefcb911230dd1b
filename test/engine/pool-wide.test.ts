import { existsSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { type RunnableExample, startExample } from "./examples";

/** Starts the example on a pool, and tells it the hosts' keys. */
async function start(pool: SimulatedPool, vmUuid: string): Promise<RunnableExample> {
  const example = await startExample("pool-wide", pool.coordinator, { vmUuid });
  for (const host of pool.hosts) await tellKey(example, host);
  await example.write({ "user-data": "#cloud-config\nhostname: web-1\n" });
  return example;
}

function tellKey({ stack }: RunnableExample, { name, connection }: SimulatedHost): Promise<unknown> {
  return stack.config(`hostKeys.${name}`, connection.hostKey, { path: true });
}

/** The disc as the state has it: a refresh does not run the program, so the stack's outputs stay. */
async function discOf({ stack }: RunnableExample): Promise<{ status: string; srPath: string }> {
  const { resources = [] } = (await stack.export()).deployment;
  return resources.find(({ outputs }) => outputs?.["srPath"])?.outputs as { status: string; srPath: string };
}

test.runIf(process.platform === "linux")(
  "a VM migrates with the disc of its pool; a host that joins or reboots gets the same disc; nothing is left",
  async () => {
    await using pool = await startPool({ transport: "sshd", hosts: 3 });
    const { vm, drives } = pool.xapi.addVm({ name: "web-1", powerState: "running" });
    await using example = await start(pool, vm.uuid);
    const { stack } = example;

    await stack.up();
    const first = await stack.outputs();
    expect(first).toMatchObject({ status: "ready" });
    expect(drives).toMatchObject([{ vdiUuid: first["vdiUuid"], empty: false }]);
    for (const { uuid } of pool.hosts) pool.xapi.migrateVm(vm, uuid);

    // A host joins: a refresh notices, the next up brings the disc there.
    const joined = await pool.join();
    expect(() => pool.xapi.migrateVm(vm, joined.uuid)).toThrow("VM_REQUIRES_SR");
    await stack.refresh();
    expect(await discOf(example)).toMatchObject({ status: "partial" });
    await tellKey(example, joined);
    expect((await stack.up()).output).toMatch(/~ 1 updated/);
    expect(await stack.outputs()).toMatchObject({ status: "ready", vdiUuid: first["vdiUuid"] });
    pool.xapi.migrateVm(vm, joined.uuid);

    // A host reboots: its folder is on disk.
    await pool.coordinator.reboot();
    await stack.refresh();
    expect((await stack.up()).output).not.toMatch(/\d (created|replaced|updated|deleted)/);

    // A host comes back from an upgrade without its folder.
    const { srPath } = await discOf(example);
    await joined.powerOff();
    rmSync(joined.path(srPath), { recursive: true });
    await joined.powerOn();
    await stack.refresh();
    expect(await discOf(example)).toMatchObject({ status: "partial" });
    expect((await stack.up()).output).toMatch(/~ 1 updated/);
    expect(await stack.outputs()).toMatchObject({ status: "ready", vdiUuid: first["vdiUuid"] });
    expect(existsSync(joined.path(srPath))).toBe(true);

    // Another content is another disc, in the same drive.
    pool.xapi.startVm(vm, pool.coordinator.uuid);
    await example.write({ "user-data": "#cloud-config\nhostname: web-2\n" });
    await stack.up();
    const second = await stack.outputs();
    expect(second["vdiUuid"]).not.toBe(first["vdiUuid"]);
    expect(pool.xapi.vdis).toMatchObject([{ uuid: second["vdiUuid"] }]);
    expect(drives).toMatchObject([{ vdiUuid: second["vdiUuid"] }]);

    await stack.destroy();
    expect(drives).toMatchObject([{ empty: true }]);
    expect(await pool.leftovers()).toEqual(nothing);
  },
);
