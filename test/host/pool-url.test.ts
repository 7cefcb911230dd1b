import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import { type SimulatedPool, startPool } from "../simulator";
import { imageBytes, writeTemporary } from "../unit/image";
import { WebServer } from "../web-server";
import { nothing, poolArguments } from "./pool";
import { checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());
afterEach(() => vi.unstubAllEnvs());

/** Large enough for several streams to a host. */
const image = Buffer.concat([imageBytes("for a pool"), randomBytes(9 * 1024 ** 2)]);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function urlArguments(pool: SimulatedPool, more: Record<string, unknown>): Record<string, unknown> {
  const { isoPath: _, ...args } = poolArguments(pool);
  return { ...args, ...more };
}

const hashesOn = ({ hosts }: SimulatedPool, path: string) =>
  hosts.map((host) => sha256(readFileSync(host.path(path))));

const keptHere = () => readdirSync(tmpdir()).filter((name) => name.startsWith("pulumi-xen-iso-"));

test("an image at a URL is downloaded once for all hosts, and once more for a host that joins", async () => {
  await using pool = await startPool({ transport: "embedded", hosts: 3 });
  await using server = await WebServer.start();
  const isoUrl = server.serve("/a.iso.gz", { bytes: gzipSync(image) });
  const state = await createDisc(urlArguments(pool, { isoUrl }));
  const path = `${state.srPath}/${state.isoName}`;
  expect(server.requests.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
  expect(hashesOn(pool, path)).toEqual(Array(3).fill(sha256(image)));
  expect(state).toMatchObject({ isoSize: image.length, isoSha256: sha256(image), status: "ready" });
  expect(keptHere()).toEqual([]);

  await pool.join();
  const { props } = await readDisc(state);
  expect(props).toMatchObject({ status: "partial" });
  const news = (await checked(urlArguments(pool, { isoUrl }), { ...props })) as never;
  server.requests.length = 0;
  const { outs } = await tempIso.update("", props!, news);
  expect(outs).toMatchObject({ status: "ready", vdiUuid: state.vdiUuid });
  expect(server.requests.map(({ method }) => method)).toEqual(["GET"]);
  expect(hashesOn(pool, path)).toEqual(Array(4).fill(sha256(image)));
  await deleteDisc(outs!);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a compressed file is decompressed once for all hosts", async () => {
  await using pool = await startPool({ transport: "embedded", hosts: 2 });
  const state = await createDisc(poolArguments(pool, { isoPath: writeTemporary(gzipSync(image)) }));
  expect(hashesOn(pool, `${state.srPath}/${state.isoName}`)).toEqual(Array(2).fill(sha256(image)));
  expect(keptHere()).toEqual([]);
  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("an image with another checksum reaches no host", async () => {
  await using pool = await startPool({ transport: "embedded", hosts: 2 });
  await using server = await WebServer.start();
  const isoUrl = server.serve("/a.iso", { bytes: image });
  const args = urlArguments(pool, { isoUrl, isoChecksum: `sha256:${"0".repeat(64)}` });
  await expect(createDisc(args)).rejects.toThrow(/is not what isoChecksum says/);
  const commands = pool.hosts.flatMap((host) => host.commands.map(({ command }) => command)).join("\n");
  expect(commands).not.toMatch(/\b(identify_and_prepare|write_range) /m);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a temporary folder that takes nothing is named, with the way out", async () => {
  await using pool = await startPool({ transport: "embedded", hosts: 2 });
  const args = poolArguments(pool, { isoPath: writeTemporary(gzipSync(image)) });
  vi.stubEnv("TMPDIR", "/none");
  await expect(createDisc(args)).rejects.toThrow(/could not be kept in \/none .*ENOENT.*set TMPDIR/);
  expect(await pool.leftovers()).toEqual(nothing);
});
