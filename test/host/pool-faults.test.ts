import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Proxy, type SimulatedPool, startPool } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

/** Large enough to be interrupted. */
const isoPath = writeTemporary(Buffer.concat([imageBytes("pool"), randomBytes(12 * 1024 ** 2)]));

const HALF_AN_UPLOAD_BYTES = 3 * 1024 ** 2;

/** A pool with a link of its own to each host, and a create that is under way. */
interface Scene {
  readonly pool: SimulatedPool;
  readonly links: readonly Proxy[];
  /** Waits until a command of `xe` was begun. */
  readonly untilCalled: (command: string) => Promise<void>;
  /** Waits until half of the image is on its way to a host. */
  readonly untilSent: (index: number) => Promise<void>;
}

/** Runs a create with a fault in its midst, and then a delete; returns what the create came to. */
async function createWith(
  fault: (scene: Scene) => Promise<void>,
  recover: (pool: SimulatedPool) => Promise<void> = () => Promise.resolve(),
): Promise<string> {
  await using pool = await startPool({ transport: "sshd", hosts: 3 });
  const links = await Promise.all(pool.hosts.map(({ connection }) => Proxy.start(connection)));
  await using first = links[0];
  await using second = links[1];
  await using third = links[2];
  expect([first, second, third]).not.toContain(undefined);
  const reached = pool.hosts.map(({ name, connection: { hostKey } }, index) => {
    const { host, port } = links[index] ?? {};
    return [name, { host, port, hostKey }] as const;
  });
  const args = argumentsFor(pool.coordinator, {
    poolWide: true,
    isoPath,
    hostConnections: Object.fromEntries(reached),
  });
  const limits = { dialErrorLimit: 3, perDialTimeout: 5 };
  const connection = { ...(args["connection"] as object), ...reached[0]?.[1], ...limits };

  const creating = createDisc({ ...args, connection }).then(
    (state) => ({ state, outcome: "created" }),
    (error: unknown) => {
      const state = (error as { properties?: TempIsoState }).properties;
      return { state, outcome: state ? "incomplete" : "undone" };
    },
  );
  let hasEnded = false;
  void creating.then(() => (hasEnded = true));
  const until = async (isSo: () => boolean) => {
    while (!hasEnded && !isSo()) await sleep(10);
  };
  await fault({
    pool,
    links,
    untilCalled: (command) => until(() => pool.xapi.calls.some((call) => call.command === command)),
    untilSent: (index) =>
      until(() => (links[index]?.connections[0]?.bytesFromClient ?? 0) > HALF_AN_UPLOAD_BYTES),
  });
  const { state, outcome } = await creating;
  await recover(pool);
  if (outcome === "undone") expect(await pool.leftovers()).toEqual(nothing);
  if (outcome === "created")
    await expect(readDisc(state as TempIsoState)).resolves.toMatchObject({ props: { status: "ready" } });
  if (state) await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
  return outcome;
}

describe.runIf(process.platform === "linux")("a create for a whole pool, when", () => {
  test.each([
    ["the coordinator", 0],
    ["another host", 1],
  ])("the link to %s drops in the upload, goes on where that host is", async (_who, index) => {
    const outcome = await createWith(async ({ links, untilSent }) => {
      await untilSent(index);
      links[index]?.dropAll();
    });
    expect(outcome).toBe("created");
  });

  test("a host reboots in the upload, goes on once it is back", async () => {
    const outcome = await createWith(async ({ pool, untilSent }) => {
      await untilSent(2);
      await pool.hosts[2]?.reboot({ downMs: 500 });
    });
    expect(outcome).toBe("created");
  });

  test("the link between coordinator and member breaks while the SR is made, plugs what is not plugged", async () => {
    const outcome = await createWith(async ({ pool, untilCalled }) => {
      pool.xapi.storage.attachMs = 200;
      await untilCalled("sr-create");
      await sleep(250);
      pool.hosts[1]?.breakLink();
    });
    expect(outcome).toBe("created");
  });

  test.each(["after", "meanwhile"] as const)(
    "sr-create is done (%s), then answered by an error, finds its SR",
    async (when) => {
      const outcome = await createWith(({ pool }) => {
        const effect = { kind: "fail", code: "CANNOT_CONTACT_HOST", params: ["host"], when } as const;
        pool.xapi.storage.attachMs = 200;
        pool.xapi.faults.push({ command: "sr-create", effect });
        return Promise.resolve();
      });
      expect(outcome).toBe("created");
    },
  );

  test("the toolstack of the coordinator ends in sr-create and another host takes over, goes on there", async () => {
    const outcome = await createWith(async ({ pool: { xapi, hosts }, untilCalled }) => {
      const [first, second] = hosts;
      xapi.faults.push({ command: "sr-create", effect: { kind: "delay", ms: 500, when: "after" } });
      await untilCalled("sr-create");
      await sleep(100);
      xapi.toolstack(first?.uuid ?? "").stop();
      await xapi.makeCoordinator(second?.uuid ?? "");
      await xapi.startHost(first?.uuid ?? "");
    });
    expect(outcome).toBe("created");
  });

  test("the coordinator loses power and another host takes over, is incomplete; a delete clears all hosts", async () => {
    const outcome = await createWith(
      async ({ pool, untilCalled }) => {
        pool.xapi.storage.attachMs = 300;
        await untilCalled("sr-create");
        await pool.hosts[0]?.powerOff();
        await pool.xapi.makeCoordinator(pool.hosts[1]?.uuid ?? "");
      },
      async (pool) => pool.hosts[0]?.powerOn(),
    );
    expect(outcome).toBe("incomplete");
  });

  test("a scan fails for good, is undone on every host", async () => {
    const outcome = await createWith(({ pool }) => {
      pool.xapi.faults.push({ command: "sr-scan", effect: { kind: "fail", code: "SR_BACKEND_FAILURE_47" } });
      return Promise.resolve();
    });
    expect(outcome).toBe("undone");
  });
});
