import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { type SimulatedHost, startPool } from "../simulator";
import { Proxy } from "../simulator/proxy";
import { imageBytes, writeTemporary } from "../unit/image";
import { type WebFileBehaviour, WebServer } from "../web-server";
import { nothing } from "./pool";
import { argumentsFor, checked, createDisc, deleteDisc, setConfiguration } from "./resource";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

beforeEach(() => setConfiguration());

const image = Buffer.concat([imageBytes("from a URL"), randomBytes(3 * MIB)]);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

function urlArguments(host: SimulatedHost, more: Record<string, unknown>): Record<string, unknown> {
  const { isoPath: _, ...args } = argumentsFor(host);
  return { ...args, ...more };
}

const imageOn = (host: SimulatedHost, { srPath, isoName }: TempIsoState) =>
  readFileSync(host.path(`${srPath}/${isoName}`));

test.each(["embedded", "sshd"] as const)("behind %s an image at a URL becomes a disc", async (transport) => {
  await using pool = await startPool({ transport });
  await using server = await WebServer.start();
  const isoUrl = server.serve("/a.iso", { bytes: image, cut: { times: 1, afterBytes: 2 * MIB } });
  const args = urlArguments(pool.coordinator, { isoUrl });
  const state = await createDisc(args);

  expect(imageOn(pool.coordinator, state).equals(image)).toBe(true);
  expect(state).toMatchObject({ isoUrl, isoSize: image.length, isoSha256: sha256(image), status: "ready" });
  expect(server.requests.map(({ method, headers }) => `${method} ${headers.range ?? ""}`)).toEqual([
    "HEAD ",
    "GET ",
    `GET bytes=${2 * MIB}-`,
  ]);

  // Unchanged: one HEAD, nothing to do.
  server.requests.length = 0;
  const news = await checked(args, state as never);
  expect(server.requests.map(({ method }) => method)).toEqual(["HEAD"]);
  expect(await tempIso.diff("", state, news as never)).toEqual({ changes: false, replaces: [] });

  server.serve("/a.iso", { bytes: image, validators: { etag: '"2"' } });
  const changed = await tempIso.diff("", state, (await checked(args, state as never)) as never);
  expect(changed).toEqual({ changes: true, replaces: ["isoIdentity"] });

  await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("with a checksum no request is sent before the download, nor when nothing changed", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using server = await WebServer.start();
  const isoUrl = server.serve("/a.iso", { bytes: image });
  const args = urlArguments(pool.coordinator, { isoUrl, isoChecksum: `sha256:${sha256(image)}` });
  const inputs = await checked(args);
  expect(server.requests).toEqual([]);

  const state = await createDisc(args);
  expect(server.requests.map(({ method }) => method)).toEqual(["GET"]);
  const news = await checked({ ...args, isoUrl: `${isoUrl}?signature=2` }, inputs as never);
  expect(await tempIso.diff("", state, news as never)).toEqual({ changes: false, replaces: [] });
  expect(server.requests).toHaveLength(1);
});

test("the same image from a file instead of a URL is the same disc, and a checksum added later too", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using server = await WebServer.start();
  const isoUrl = server.serve("/a.iso", { bytes: image });
  const args = urlArguments(pool.coordinator, { isoUrl });
  const state = await createDisc(args);
  const same = { changes: false, replaces: [] };
  const isoChecksum = `sha256:${sha256(image)}`;
  expect(await tempIso.diff("", state, (await checked({ ...args, isoChecksum })) as never)).toEqual(same);
  const { isoUrl: _, ...others } = args;
  const fromFile = await checked({ ...others, isoPath: writeTemporary(image) });
  expect(await tempIso.diff("", state, fromFile as never)).toEqual(same);
});

describe.each(["gzip", "xz", "zstd", "bzip2"])("an image compressed with %s", (command) => {
  const compressed = execFileSync(command, ["-c"], { input: image, maxBuffer: 100 * MIB });

  test.each(["isoUrl", "isoPath"])("at %s is decompressed on its way", async (argument) => {
    await using pool = await startPool({ transport: "embedded" });
    await using server = await WebServer.start();
    const place =
      argument === "isoUrl"
        ? server.serve("/a.img", { bytes: compressed })
        : writeTemporary(compressed, "a.img");
    const isoChecksum = `sha256:${sha256(compressed)}`;
    const state = await createDisc(urlArguments(pool.coordinator, { [argument]: place, isoChecksum }));
    expect(imageOn(pool.coordinator, state).equals(image)).toBe(true);
    expect(state).toMatchObject({ isoSize: image.length, isoSha256: sha256(image) });
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

const refusals: [string, WebFileBehaviour, RegExp, Record<string, unknown>?][] = [
  [
    "another checksum",
    { bytes: image },
    /is not what isoChecksum says/,
    { isoChecksum: `sha256:${"0".repeat(64)}` },
  ],
  ["fewer bytes than announced", { bytes: image, length: image.length + 9 }, /has another length/],
  ["a web page", { bytes: Buffer.from("<!doctype html><title>Log in</title>") }, /It is a web page/],
  ["a damaged archive", { bytes: gzipSync(image).subarray(0, MIB) }, /cannot be decompressed \(gzip\)/],
];

test.each(refusals)(
  "%s makes no disc, and leaves nothing",
  async (_what, file, message, more = {}) => {
    await using pool = await startPool({ transport: "embedded" });
    await using server = await WebServer.start();
    const isoUrl = server.serve("/a.iso", file);
    await expect(createDisc(urlArguments(pool.coordinator, { isoUrl, ...more }))).rejects.toThrow(message);
    expect(await pool.leftovers()).toEqual(nothing);
  },
  30_000,
);

test("a file that is not there is refused at preview", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using server = await WebServer.start();
  const args = urlArguments(pool.coordinator, { isoUrl: `${server.origin}/a.iso?token=s3cret` });
  await expect(checked(args)).rejects.toThrow(/^isoUrl: .*answered 404/);
  await expect(checked(args)).rejects.not.toThrow(/s3cret/);
});

test("an archive that holds more than the host has room for is stopped", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const host = pool.coordinator;
  await using server = await WebServer.start();
  const bomb = gzipSync(Buffer.concat([imageBytes("bomb"), Buffer.alloc(300 * MIB)]), { level: 1 });
  const isoUrl = server.serve("/bomb.gz", { bytes: bomb });
  // The simulator's disk does not fill by itself.
  host.setSpace({
    path: "/var/opt",
    totalBytes: 18 * GIB,
    availableBytes: 1.8 * GIB + 100,
    type: "ext2/ext3",
  });
  const timer = setInterval(() => {
    const space = { path: "/var/opt", totalBytes: 18 * GIB, availableBytes: 1.7 * GIB, type: "ext2/ext3" };
    if (server.downloads.length > 0) host.setSpace(space);
  }, 20);
  try {
    await expect(createDisc(urlArguments(host, { isoUrl }))).rejects.toThrow(/no room for an image/);
  } finally {
    clearInterval(timer);
  }
  expect(await pool.leftovers()).toEqual(nothing);
});

test("an upload whose connection breaks goes on with what the host has not", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const host = pool.coordinator;
  await using proxy = await Proxy.start(host.connection, { dropAfterBytes: 5 * MIB });
  await using server = await WebServer.start();
  const large = Buffer.concat([imageBytes("large"), randomBytes(12 * MIB)]);
  const args = urlArguments(host, { isoUrl: server.serve("/a.iso", { bytes: large }) });
  const connection = { ...(args["connection"] as object), host: proxy.host, port: proxy.port };
  const state = await createDisc({ ...args, connection });
  expect(imageOn(host, state).equals(large)).toBe(true);
  expect(proxy.connections.length).toBeGreaterThan(1);
});

test("several discs of the same image are downloaded once", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using server = await WebServer.start();
  const unique = Buffer.concat([imageBytes("once"), randomBytes(2 * MIB)]);
  const isoUrl = server.serve("/a.iso", { bytes: unique });
  const isoChecksum = `sha256:${sha256(unique)}`;
  const discs = ["a", "b", "c"].map((name) => {
    const owner = `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::${name}`;
    return createDisc(urlArguments(pool.coordinator, { isoUrl, isoChecksum, owner }));
  });
  const states = await Promise.all(discs);
  expect(server.downloads).toHaveLength(1);
  for (const state of states) await deleteDisc(state);
  expect(await pool.leftovers()).toEqual(nothing);
});

describe("downloadOnHost", () => {
  const large = Buffer.concat([imageBytes("on the host"), randomBytes(3 * MIB)]);

  test.each([
    ["as it is", "sha256", large],
    ["as it is, by its sha512", "sha512", large],
    ["compressed", "sha256", execFileSync("xz", ["-c"], { input: large, maxBuffer: 100 * MIB })],
  ])(
    "an image %s is fetched by the host, after a redirect and a cut",
    async (_how, algorithm, bytes) => {
      await using pool = await startPool({ transport: "sshd" });
      const host = pool.coordinator;
      await using server = await WebServer.start();
      const file = server.serve("/b.iso", { bytes, cut: { times: 2, afterBytes: MIB } });
      const isoUrl = server.serve("/a.iso", {
        redirect: new URL(file).pathname,
        needsHeader: ["x-token", 's3"cr\\et'],
      });
      const hex = createHash(algorithm).update(bytes).digest("hex");
      const headers = { "x-token": 's3"cr\\et' };
      const args = { isoUrl, isoChecksum: `${algorithm}:${hex}`, headers, downloadOnHost: true };
      const state = await createDisc(urlArguments(host, args));

      expect(imageOn(host, state).equals(large)).toBe(true);
      expect(state).toMatchObject({ isoSize: large.length, isoSha256: sha256(large), status: "ready" });
      expect(server.downloads.every(({ headers: sent }) => sent["user-agent"] === "pulumi-xen-iso")).toBe(
        true,
      );
      expect(server.downloads.filter(({ headers: sent }) => sent.range?.endsWith("-"))).not.toEqual([]);
      await deleteDisc(state);
      expect(await pool.leftovers()).toEqual(nothing);
    },
    60_000,
  );

  test("the headers do not follow a redirect to another server", async () => {
    await using pool = await startPool({ transport: "embedded" });
    await using server = await WebServer.start();
    await using other = await WebServer.start();
    const isoUrl = server.serve("/a.iso", { redirect: other.serve("/a.iso", { bytes: large }) });
    const args = {
      isoUrl,
      isoChecksum: `sha256:${sha256(large)}`,
      headers: { "x-token": "s3cret" },
      downloadOnHost: true,
    };
    await createDisc(urlArguments(pool.coordinator, args));
    expect(server.requests.map(({ headers }) => headers["x-token"])).toEqual(["s3cret"]);
    expect(other.requests.every(({ headers }) => headers["x-token"] === undefined)).toBe(true);
  });

  test.each<[string, WebFileBehaviour, RegExp, Uint8Array?]>([
    [
      "another checksum",
      { bytes: Buffer.concat([large, Buffer.from("more")]) },
      /is not what isoChecksum says/,
    ],
    ["a file that is not there", { status: 404 }, /the server answered 404\. Check the URL/],
    [
      "a server that breaks off again and again",
      { bytes: large, cut: { times: 100, afterBytes: 0 } },
      /the download broke off\. Check that the host reaches the server/,
    ],
    ["a damaged archive", { bytes: gzipSync(large).subarray(0, MIB) }, /cannot be decompressed/],
    ["no image", { bytes: Buffer.alloc(100_000) }, /neither an ISO 9660 nor a UDF/, Buffer.alloc(100_000)],
  ])("%s makes no disc, and leaves nothing", async (_what, file, message, expected = large) => {
    await using pool = await startPool({ transport: "embedded" });
    await using server = await WebServer.start();
    const isoUrl = server.serve("/a.iso", file);
    const args = {
      isoUrl: `${isoUrl}?t=s3cret`,
      isoChecksum: `sha256:${sha256(expected)}`,
      downloadOnHost: true,
    };
    const failure = await createDisc(urlArguments(pool.coordinator, args)).catch((error: unknown) => error);
    expect(String(failure)).toMatch(message);
    expect(String(failure)).not.toContain("s3cret");
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("a host without room is refused before the download", async () => {
    const fresh = Buffer.concat([imageBytes("no room"), randomBytes(3 * MIB)]);
    await using pool = await startPool({ transport: "embedded" });
    await using server = await WebServer.start();
    const isoUrl = server.serve("/a.iso", { bytes: fresh });
    pool.coordinator.setSpace({
      path: "/var/opt",
      totalBytes: 18 * GIB,
      availableBytes: 1.8 * GIB + MIB,
      type: "ext2/ext3",
    });
    const args = { isoUrl, isoChecksum: `sha256:${sha256(fresh)}`, downloadOnHost: true };
    await expect(createDisc(urlArguments(pool.coordinator, args))).rejects.toThrow(/no room for an image/);
    expect(server.downloads).toHaveLength(1);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});
