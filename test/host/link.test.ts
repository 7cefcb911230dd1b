import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, expect, test } from "vitest";
import { type SimulatedHost, startPool } from "../simulator";
import { Proxy } from "../simulator/proxy";
import { imageBytes, writeTemporary } from "../unit/image";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";

const MIB = 1024 ** 2;

beforeEach(() => setConfiguration());

/** An image of 64 MiB that does not compress. */
const largeImage = () => writeTemporary(Buffer.concat([imageBytes("large"), randomBytes(64 * MIB)]));

/** The arguments of a disc whose host is reached through a proxy. */
function argumentsThrough(proxy: Proxy, host: SimulatedHost): Record<string, unknown> {
  const args = argumentsFor(host, { isoPath: largeImage() });
  const { host: name, port } = proxy;
  return { ...args, connection: { ...(args["connection"] as object), host: name, port } };
}

test("an upload whose connection breaks goes on where the host has it", async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using proxy = await Proxy.start(pool.coordinator.connection, { dropAfterBytes: 40 * MIB });
  const state = await createDisc(argumentsThrough(proxy, pool.coordinator));
  const file = readFileSync(pool.coordinator.path(`${state.srPath}/${state.isoName}`));
  expect(createHash("sha256").update(file).digest("hex")).toBe(state.isoSha256);
  expect(proxy.connections).toHaveLength(2);
  // Of the 64 MiB, what was on its way when the connection broke is sent again, in whole MiB: at most the windows of
  // six channels, 2 MiB each.
  const bytes = proxy.connections.reduce((sum, { bytesFromClient }) => sum + bytesFromClient, 0);
  expect(bytes).toBeLessThan((64 + 6 * (2 + 1)) * MIB);
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a host that stops reading in the midst of an upload is given up, and is clean once it is back", async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using proxy = await Proxy.start(pool.coordinator.connection, { stallAfterBytes: 20 * MIB });
  const creating = createDisc(argumentsThrough(proxy, pool.coordinator));
  const failure = expect(creating).rejects.toThrow(
    /does not answer as an SSH.*Could not be undone: the SR of/s,
  );
  await sleep(5_000);
  proxy.faults.stallAfterBytes = undefined;
  proxy.faults.refuseConnections = 1_000;
  await failure;
  proxy.faults.refuseConnections = 0;
  // The provider had no way to the host any more. The host still takes the dead link for a live one: once the
  // lease has run out, the next create of the same resource clears what is left.
  const state = await createDisc(argumentsThrough(proxy, pool.coordinator));
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
}, 180_000);

test("a link without a sign of life is found dead by keep-alives", async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using proxy = await Proxy.start(pool.coordinator.connection);
  const args = argumentsThrough(proxy, pool.coordinator);
  pool.xapi.faults.push({ command: "sr-create", effect: { kind: "hang", when: "before" } });
  const creating = createDisc(args);
  const failure = expect(creating).rejects.toThrow(/was lost/);
  while (!pool.xapi.calls.some(({ command }) => command === "sr-create")) await sleep(100);
  proxy.faults.stallAfterBytes = 0;
  await sleep(35_000);
  proxy.faults.stallAfterBytes = undefined;
  await failure;
  expect(await pool.leftovers()).toEqual(nothing);
}, 120_000);

test("an abandoned folder of the same resource is cleared by the next create, another's is not", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const args = argumentsFor(pool.coordinator);
  const other = argumentsFor(pool.coordinator, { owner: `${String(args["owner"])}-other` });
  const abandoned = await createDisc(args);
  const others = await createDisc(other);
  // As a killed create leaves it: the marker of a session that is no more.
  for (const [{ srPath, isoName }, owner] of [
    [abandoned, args["owner"]],
    [others, other["owner"]],
  ] as const)
    writeFileSync(
      pool.coordinator.path(`${srPath}/pending`),
      `owner=${String(owner)}\niso=${isoName}\nsize=1\nsession=1\nstarted=then\n`,
    );

  const state = await createDisc(args);
  expect(existsSync(pool.coordinator.path(abandoned.srPath))).toBe(false);
  expect(existsSync(pool.coordinator.path(others.srPath))).toBe(true);
  expect(pool.xapi.srs.map(({ uuid }) => uuid).sort()).toEqual([others.srUuid, state.srUuid].sort());
});
