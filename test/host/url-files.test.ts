import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import { seedImage } from "../seed-image";
import { startPool } from "../simulator";
import { WebServer } from "../web-server";
import { nothing } from "./pool";
import { argumentsFor, checked, createDisc, deleteDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

test.each([1, 3])("a disc with files from URLs on %d hosts, until one of them changes", async (hosts) => {
  await using pool = await startPool({ transport: "embedded", hosts });
  await using server = await WebServer.start();
  const bytes = Buffer.from(`agent for ${hosts}`);
  const checksum = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const agent = { url: server.serve("/agent", { bytes }), checksum };
  const motd = { url: server.serve("/motd", { bytes: Buffer.from("hello"), validators: { etag: '"1"' } }) };
  const hostConnections = Object.fromEntries(
    pool.hosts.map(({ name, connection: { port, hostKey } }) => [name, { port, hostKey }]),
  );
  const { isoPath: _, ...base } = argumentsFor(pool.coordinator);
  const poolWide = hosts > 1 ? { poolWide: true, hostConnections } : {};
  const args = { ...base, ...poolWide, files: { agent, motd, "user-data": "#!x\n" } };

  const state = await createDisc(args);
  expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "HEAD /motd",
    "GET /agent",
    "GET /motd",
  ]);
  const image = await seedImage({ agent: bytes.toString(), motd: "hello", "user-data": "#!x\n" });
  for (const host of pool.hosts)
    expect(readFileSync(host.path(`${state.srPath}/${state.isoName}`)).equals(image)).toBe(true);
  const isoSha256 = createHash("sha256").update(image).digest("hex");
  expect(state).toMatchObject({ isoSha256, isoSize: image.length, status: "ready" });

  server.requests.length = 0;
  const same = await checked(args, state as never);
  expect(server.requests.map(({ method }) => method)).toEqual(["HEAD"]);
  expect(await tempIso.diff("", state, same as never)).toEqual({ changes: false, replaces: [] });
  // The same content from elsewhere.
  const local = { ...args, files: { agent: bytes.toString(), motd: "hello", "user-data": "#!x\n" } };
  expect(await tempIso.diff("", state, (await checked(local, state as never)) as never)).toMatchObject({
    replaces: [],
  });

  server.serve("/motd", { bytes: Buffer.from("hello"), validators: { etag: '"2"' } });
  const changed = await checked(args, state as never);
  expect(await tempIso.diff("", state, changed as never)).toEqual({
    changes: true,
    replaces: ["isoIdentity"],
  });
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a download that fails makes no disc, and connects to no host", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using server = await WebServer.start();
  const { isoPath: _, ...args } = argumentsFor(pool.coordinator);
  const file = {
    url: server.serve("/a", { bytes: Buffer.from("other") }),
    checksum: `sha256:${"0".repeat(64)}`,
  };
  await expect(createDisc({ ...args, files: { file } })).rejects.toThrow(/\/a is not what its checksum says/);
  expect(pool.coordinator.connections).toBe(0);
  expect(await pool.leftovers()).toEqual(nothing);
});
