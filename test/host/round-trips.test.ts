import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Proxy, type SimulatedPool, startPool, type XeCall } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";

const MIB = 1024 ** 2;

/** How many channels send a large image side by side at most. */
const MOST_RANGES = 6;

/** What SSH itself adds to what is sent, in bytes: headers, keys, scripts. */
const OVERHEAD = MIB;

/** How often one command says of all folders under way that somebody works there. */
const RENEWAL_MS = 10_000;

beforeEach(() => setConfiguration());

/** What a pool's first host has seen so far. */
interface Traffic {
  readonly connections: number;
  /** Each a round trip. */
  readonly commands: number;
  readonly xeCalls: readonly XeCall[];
}

function trafficOf({ coordinator, xapi }: SimulatedPool): Traffic {
  return {
    connections: coordinator.connections,
    commands: coordinator.sessions,
    xeCalls: [...xapi.calls],
  };
}

/** What some work makes a host see. */
async function trafficDuring<T>(pool: SimulatedPool, work: () => Promise<T>): Promise<Traffic & { made: T }> {
  const before = trafficOf(pool);
  const made = await work();
  const after = trafficOf(pool);
  return {
    made,
    connections: after.connections - before.connections,
    commands: after.commands - before.commands,
    xeCalls: after.xeCalls.slice(before.xeCalls.length),
  };
}

const namesOf = (calls: readonly XeCall[]) => calls.map(({ command }) => command).sort();

/** An image of its own of so many MiB. */
const imageOf = (mib: number) => writeTemporary(Buffer.concat([imageBytes(), randomBytes(mib * MIB)]));

/** Arguments of another resource than the rest. */
function argumentsOf(pool: SimulatedPool, number: number, isoPath: string): Record<string, unknown> {
  const args = argumentsFor(pool.coordinator, { isoPath });
  return { ...args, owner: `${String(args["owner"])}-${number}` };
}

describe.each(["embedded", "sshd"] as const)("behind %s", (transport) => {
  test("a small image is on the host and its disc made after one command", async () => {
    await using pool = await startPool({ transport });
    const { connections, commands, xeCalls } = await trafficDuring(pool, () =>
      createDisc(argumentsFor(pool.coordinator)),
    );
    expect({ connections, commands }).toEqual({ connections: 1, commands: 1 });
    expect(namesOf(xeCalls)).toEqual(["pbd-list", "sr-create", "sr-scan", "vdi-list"]);
  });

  test("an image of some MiB takes three: prepare, upload, make", async () => {
    await using pool = await startPool({ transport });
    const args = argumentsFor(pool.coordinator, { isoPath: imageOf(2) });
    const { connections, commands, xeCalls } = await trafficDuring(pool, () => createDisc(args));
    expect({ connections, commands }).toEqual({ connections: 1, commands: 3 });
    expect(xeCalls).toHaveLength(4);
  });

  test("a large one takes as many more as send its ranges side by side", async () => {
    await using pool = await startPool({ transport });
    const args = argumentsFor(pool.coordinator, { isoPath: imageOf(32) });
    const { connections, commands, xeCalls } = await trafficDuring(pool, () => createDisc(args));
    expect(connections).toBe(1);
    expect(commands).toBe(2 + MOST_RANGES);
    expect(xeCalls).toHaveLength(4);
  });

  test("a disc that no VM holds goes with three calls of xe", async () => {
    await using pool = await startPool({ transport });
    const state = await createDisc(argumentsFor(pool.coordinator));
    const { xeCalls } = await trafficDuring(pool, () => deleteDisc(state));
    expect(xeCalls.length).toBeLessThanOrEqual(3);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("a VDI that comes late is waited for on the host, without another round trip", async () => {
    await using pool = await startPool({ transport });
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "vdiLate", scans: 2 } });
    const { commands, made } = await trafficDuring(pool, () => createDisc(argumentsFor(pool.coordinator)));
    expect(commands).toBe(1);
    expect(pool.xapi.vdis).toMatchObject([{ uuid: made.vdiUuid }]);
  });
});

test("PBD and VDI are looked up side by side", async () => {
  await using pool = await startPool({ transport: "sshd", latencyMs: 1_000 });
  const { xeCalls } = await trafficDuring(pool, () => createDisc(argumentsFor(pool.coordinator)));
  const [pbdList, vdiList] = ["pbd-list", "vdi-list"].map((name) =>
    xeCalls.find(({ command }) => command === name),
  );
  const endOf = ({ startedAt, durationMs }: XeCall) => startedAt.getTime() + durationMs!;
  expect(vdiList!.startedAt.getTime()).toBeLessThan(endOf(pbdList!));
  expect(pbdList!.startedAt.getTime()).toBeLessThan(endOf(vdiList!));
});

test("a hundred discs take one connection, a command each, and four calls of xe each", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const args = Array.from({ length: 100 }, (_, number) =>
    argumentsOf(pool, number, writeTemporary(imageBytes(`disc ${number}`))),
  );
  const startedAt = Date.now();
  const creates = await trafficDuring(pool, () => Promise.all(args.map(createDisc)));
  const renewals = Math.floor((Date.now() - startedAt) / RENEWAL_MS);
  expect(creates.connections).toBe(1);
  expect(creates.commands).toBeLessThanOrEqual(100 + renewals);
  expect(creates.xeCalls).toHaveLength(400);
  expect(new Set(creates.made.map(({ vdiUuid }) => vdiUuid)).size).toBe(100);

  const deletes = await trafficDuring(pool, () => Promise.all(creates.made.map(deleteDisc)));
  expect(deletes.connections).toBeLessThanOrEqual(1);
  expect(deletes.xeCalls.length).toBeLessThanOrEqual(300);
  expect(await pool.leftovers()).toEqual(nothing);
}, 180_000);

test("ten discs of one image send it once", async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using proxy = await Proxy.start(pool.coordinator.connection);
  const isoPath = imageOf(16);
  const args = Array.from({ length: 10 }, (_, number) => {
    const each = argumentsOf(pool, number, isoPath);
    return { ...each, connection: { ...(each["connection"] as object), host: proxy.host, port: proxy.port } };
  });
  const states: TempIsoState[] = await Promise.all(args.map(createDisc));
  const sentBytes = proxy.connections.reduce((sum, { bytesFromClient }) => sum + bytesFromClient, 0);
  expect(proxy.connections).toHaveLength(1);
  expect(sentBytes).toBeLessThan(16 * MIB + OVERHEAD);

  await Promise.all(states.map(deleteDisc));
  expect(await pool.leftovers()).toEqual(nothing);
});
