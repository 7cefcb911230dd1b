import { beforeEach, describe, expect, test } from "vitest";
import type { IsoReleaseState } from "../../provider/lifecycle/iso-release";
import { isoRelease } from "../../provider/lifecycle/provider";
import { type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { addVm, attach, attachmentArguments, detach, drivesOf, readAttachment } from "./drive";
import { createPoolDisc, hostConnectionsOf, nothing, threeOf } from "./pool";
import { argumentsFor, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

const startThree = () => startPool({ transport: "embedded", hosts: 3 });

const connectionTo = (host: SimulatedHost) => argumentsFor(host)["connection"] as object;

/** The inputs of a release by way of a host. */
async function releaseInputs(
  pool: SimulatedPool,
  host: SimulatedHost,
  srUuid: string | undefined,
): Promise<never> {
  const { inputs, failures } = await isoRelease.check(
    {},
    {
      srUuid,
      owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:IsoRelease::web-1-release",
      connection: { ...connectionTo(host), dialErrorLimit: 1 },
      hostConnections: hostConnectionsOf(pool),
    },
  );
  expect(failures).toEqual([]);
  return inputs as never;
}

describe("a disc of a whole pool", () => {
  test("is attached by way of one host, migrates with its VM, and is released by way of another", async () => {
    await using pool = await startThree();
    const [first, second, third] = threeOf(pool);
    const disc = await createPoolDisc(pool, { once: true });
    const { vm } = addVm(pool, { powerState: "running" });
    await attach({
      ...attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: disc.vdiUuid }),
      connection: connectionTo(first),
    });
    pool.xapi.migrateVm(vm, third.uuid);
    expect(drivesOf(pool, vm)).toEqual([`3: ${disc.isoName}`]);

    const { id } = await isoRelease.create(await releaseInputs(pool, second, disc.srUuid));
    expect(id).toBe(disc.srUuid);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
    expect(await pool.leftovers()).toEqual(nothing);
    await expect(readDisc(disc)).resolves.toMatchObject({ props: { status: "released" } });
    await deleteDisc(disc);
  });

  test("is in the drive of a VM that HA protects, and follows it when its host is lost", async () => {
    await using pool = await startThree();
    const [, second] = threeOf(pool);
    const disc = await createPoolDisc(pool);
    const { vm } = addVm(pool, { powerState: "running" });
    pool.xapi.pool.haEnabled = true;
    vm.haRestartPriority = "restart";
    const made = await attach(attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: disc.vdiUuid }));
    pool.xapi.migrateVm(vm, second.uuid);
    await second.powerOff();
    expect(vm).toMatchObject({ powerState: "running" });
    expect(vm.residentOn).not.toBe(second.uuid);
    expect(drivesOf(pool, vm)).toEqual([`3: ${disc.isoName}`]);
    await second.powerOn();
    await detach(made.state);
    await deleteDisc(disc);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is taken out by way of any host once its VM has migrated", async () => {
    await using pool = await startThree();
    const [first, second, third] = threeOf(pool);
    const disc = await createPoolDisc(pool);
    const { vm } = addVm(pool, { powerState: "running" });
    const made = await attach({
      ...attachmentArguments(pool, { vmUuid: vm.uuid, vdiUuid: disc.vdiUuid }),
      connection: connectionTo(third),
    });
    pool.xapi.migrateVm(vm, second.uuid);
    const moved = { ...made.state, connection: connectionTo(first) } as never;
    await expect(readAttachment(made.id, moved)).resolves.toMatchObject({ id: made.id });
    await detach(moved);
    expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
    await deleteDisc(disc);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("the release of a disc of a whole pool while a host is offline", () => {
  /** Powers off the third host and releases a disc; `failed` is the release as the state then has it. */
  async function failToRelease(pool: SimulatedPool) {
    const [first, , third] = threeOf(pool);
    const disc = await createPoolDisc(pool, { once: true });
    const inputs = await releaseInputs(pool, first, disc.srUuid);
    await third.powerOff();
    const error = await isoRelease.create(inputs).then(
      () => expect.unreachable(),
      (thrown: unknown) => thrown as Error & { properties: IsoReleaseState },
    );
    expect(error.message).toMatch(/xen3 is offline.*xe host-forget/s);
    return { third, inputs, failed: error.properties };
  }

  test("changes nothing, and is completed by the next up once the host is back", async () => {
    await using pool = await startThree();
    const { third, inputs, failed } = await failToRelease(pool);
    expect(pool.xapi.srs).toHaveLength(1);
    await third.powerOn();
    expect(await isoRelease.diff("", failed, inputs)).toMatchObject({ changes: true, replaces: [] });
    await isoRelease.update("", failed, inputs);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is completed without it once the pool has forgotten it", async () => {
    await using pool = await startThree();
    const { third, inputs, failed } = await failToRelease(pool);
    pool.xapi.forgetHost(third.uuid);
    await isoRelease.update("", failed, inputs);
    const { srs, paths } = await pool.leftovers();
    expect(srs).toEqual([]);
    expect(paths.filter((path) => !path.startsWith("xen3:"))).toEqual([]);
  });
});
