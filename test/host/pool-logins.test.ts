import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type SimulatedPool, startPool } from "../simulator";
import { hostConnectionsOf, nothing, poolArguments, threeOf } from "./pool";
import { createDisc, deleteDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());
afterEach(() => vi.unstubAllEnvs());

const startThree = () => startPool({ transport: "embedded", hosts: 3 });

/** The arguments with these fields of `connection`. */
function withConnection(
  pool: SimulatedPool,
  more: object,
  hostConnections?: object,
): Record<string, unknown> {
  const args = poolArguments(pool, { hostConnections });
  return { ...args, connection: { ...(args["connection"] as object), ...more } };
}

/** Makes the disc on all three hosts, and deletes it by what the state has. */
async function makeAndDelete(pool: SimulatedPool, args: Record<string, unknown>): Promise<void> {
  const state = await createDisc(args);
  expect(state.hosts?.map(({ hostKey }) => hostKey)).toEqual(
    pool.hosts.map(({ connection }) => connection.hostKey),
  );
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
}

// Elsewhere, each host has a port of its own.
describe.runIf(process.platform === "linux")("the hosts of a pool prove their keys", () => {
  test("by one array for all of them", async () => {
    await using pool = await startThree();
    const keys = pool.hosts.map(({ connection }) => connection.hostKey);
    await makeAndDelete(pool, withConnection(pool, { hostKey: keys }));
    const tooFew = withConnection(pool, { hostKey: keys.slice(0, 2) });
    await expect(createDisc(tooFew)).rejects.toThrow(/host key/i);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("by known_hosts", async () => {
    await using pool = await startThree();
    const home = mkdtempSync(join(tmpdir(), "home-"));
    vi.stubEnv("HOME", home);
    mkdirSync(join(home, ".ssh"), { mode: 0o700 });
    const lines = pool.hosts.map(
      ({ connection: { host, port, hostKey } }) => `[${host}]:${port} ${hostKey}\n`,
    );
    writeFileSync(join(home, ".ssh", "known_hosts"), lines.join(""));
    await makeAndDelete(pool, withConnection(pool, { hostKey: undefined }));
  });
});

test("a host is reached by the fields that its address has in hostConnections, through a jump host too", async () => {
  await using pool = await startThree();
  await using site = await startPool({ transport: "embedded" });
  const [, second, third] = threeOf(pool);
  const { host, port, password, hostKey } = site.coordinator.connection;
  const proxy = { host, port, user: "root", password, hostKey };
  const fields = hostConnectionsOf(pool);
  const hostConnections = {
    [second.connection.host]: fields[second.name],
    [third.connection.host]: { ...fields[third.name], proxy },
  };
  await makeAndDelete(pool, withConnection(pool, {}, hostConnections));
  expect(site.coordinator.connections).toBe(1);
});

test("a host's own credentials are the only ones that it is sent, and a refusal says where they stand", async () => {
  await using pool = await startThree();
  const [, , third] = threeOf(pool);
  const fields = hostConnectionsOf(pool);
  const wrong = { ...fields, [third.name]: { ...fields[third.name], password: "not-this-one" } };
  const failed = createDisc(withConnection(pool, {}, wrong));
  await expect(failed).rejects.toThrow(/refused the login .* the host xen3 .*hostConnections: \{ "xen3"/);
  await expect(failed).rejects.not.toThrow(/not-this-one/);
  expect(await pool.leftovers()).toEqual(nothing);
});
