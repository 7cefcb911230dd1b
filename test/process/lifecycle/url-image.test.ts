import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { checkTempIso } from "../../../provider/lifecycle/inputs";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { WebServer } from "../../web-server";
import { imageBytes, writeTemporary } from "../../unit/image";

const bytes = imageBytes("url");
const sha = (algorithm: "sha256" | "sha512", content: Uint8Array = bytes) =>
  createHash(algorithm).update(content).digest("hex");
const base = {
  owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
  connection: { host: "xen1.example.net", password: "s3cret" },
};

let server: WebServer;
beforeEach(async () => {
  configure({ get: () => undefined, require: () => "" });
  server = await WebServer.start();
});
afterEach(() => server[Symbol.asyncDispose]());

async function reasons(args: Record<string, unknown>): Promise<string[]> {
  return (await checkTempIso({}, { ...base, ...args })).failures.map(({ reason }) => reason);
}

async function identity(args: Record<string, unknown>): Promise<unknown> {
  const { inputs, failures } = await checkTempIso({}, { ...base, ...args });
  expect(failures).toEqual([]);
  return (inputs as { isoIdentity?: unknown }).isoIdentity;
}

const isoUrl = "https://example.net/a.iso";
const isoChecksum = `sha256:${"0".repeat(64)}`;

test.each<[string, Record<string, unknown>, RegExp]>([
  [
    "two sources",
    { isoUrl, isoChecksum, isoPath: "x.iso" },
    /^isoUrl: cannot be given together with isoPath/,
  ],
  ["no URL", { isoUrl: "./a.iso", isoChecksum }, /^isoUrl: must be a URL .* isoPath takes a local file/],
  ["another scheme", { isoUrl: "ftp://example.net/a.iso", isoChecksum }, /^isoUrl: must be a URL/],
  [
    "a password in the URL",
    { isoUrl: "https://u:s3cret@example.net/a.iso" },
    /^isoUrl: must be without user and password/,
  ],
  ["a URL as isoPath", { isoPath: isoUrl }, /^isoPath: is a URL; set isoUrl/],
  [
    "a checksum without its algorithm",
    { isoUrl, isoChecksum: "0".repeat(64) },
    /^isoChecksum: must be sha256:/,
  ],
  ["a checksum that is too short", { isoUrl, isoChecksum: "sha256:00" }, /^isoChecksum: must be sha256:/],
  ["a checksum of files", { files: { a: "" }, isoChecksum }, /^isoChecksum: goes with isoPath or isoUrl/],
  [
    "headers without a URL",
    { isoPath: "x.iso", headers: { a: "b" } },
    /^headers: are sent with requests for isoUrl/,
  ],
  ["headers as text", { isoUrl, isoChecksum, headers: "a: s3cret" }, /^headers: must be an object/],
  [
    "a header with a line break",
    { isoUrl, isoChecksum, headers: { a: "s3cret\r\nb: c" } },
    /^headers: a must be/,
  ],
])("refuses %s", async (_what, args, message) => {
  const found = await reasons(args);
  expect(found).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
  expect(found.join()).not.toContain("s3cret");
});

describe("the content at a URL is named", () => {
  test("by its checksum, without a request", async () => {
    expect(
      await identity({
        isoUrl: `${server.origin}/a.iso`,
        isoChecksum: isoChecksum.toUpperCase().replace("SHA", "sha"),
      }),
    ).toBe(isoChecksum);
    expect(server.requests).toEqual([]);
  });

  test("by the list at another URL, whichever form it has, with one request for the list", async () => {
    const args = { isoUrl: server.serve("/d/a%20b.iso", { bytes }), isoChecksum: "" };
    for (const list of [`${sha("sha256")} *a b.iso\n`, `SHA256 (a b.iso) = ${sha("sha256")}\n`]) {
      args.isoChecksum = server.serve("/SHA256SUMS", { bytes: Buffer.from(list) });
      expect(await identity(args)).toBe(`sha256:${sha("sha256")}`);
    }
    expect(server.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      "GET /SHA256SUMS",
      "GET /SHA256SUMS",
    ]);
  });

  test("by its ETag, else by its time and size, which are of this URL", async () => {
    const named = await identity({ isoUrl: server.serve("/a.iso", { bytes, validators: { etag: '"7"' } }) });
    expect(named).toMatch(/^etag "7" at [0-9a-f]{16}$/);
    expect(await identity({ isoUrl: `${server.origin}/a.iso?signature=s3cret` })).toBe(named);
    const other = server.serve("/b.iso", { bytes, validators: { etag: '"7"' } });
    expect(await identity({ isoUrl: other })).not.toBe(named);
    const validators = { "last-modified": "Wed, 01 Jan 2025 00:00:00 GMT" };
    expect(await identity({ isoUrl: server.serve("/a.iso", { bytes, validators }) })).toMatch(
      /^last modified Wed, 01 Jan 2025 00:00:00 GMT, 40960 bytes, at [0-9a-f]{16}$/,
    );
    expect(new Set(server.requests.map(({ method }) => method))).toEqual(new Set(["HEAD"]));
  });

  test("by nothing that the server says: that is a problem", async () => {
    const [reason] = await reasons({ isoUrl: server.serve("/a.iso", { bytes, validators: {} }) });
    expect(reason).toMatch(/^isoUrl: .* neither ETag nor Last-Modified.* Set its checksum\.$/);
  });

  test("later, as long as an argument is not known", async () => {
    expect(await identity({ isoUrl: UNKNOWN })).toBe(UNKNOWN);
    expect(await identity({ isoUrl, headers: { authorization: UNKNOWN } })).toBe(UNKNOWN);
    expect(server.requests).toEqual([]);
  });
});

test("a list that cannot be used is a problem of isoChecksum", async () => {
  const args = { isoUrl: server.serve("/a.iso", { bytes }), isoChecksum: `${server.origin}/SHA256SUMS` };
  expect(await reasons(args)).toEqual([expect.stringMatching(/^isoChecksum: .*answered 404/)]);
  server.serve("/SHA256SUMS", { bytes: Buffer.from(`${sha("sha256")}  other.iso\n`) });
  expect(await reasons(args)).toEqual([expect.stringMatching(/^isoChecksum: .*no line for a\.iso/)]);
});

describe.each([
  ["as it is", bytes],
  ["compressed", gzipSync(bytes)],
])("a local image %s", (_how, file) => {
  const isoPath = writeTemporary(file);

  test.each(["sha256", "sha512"] as const)(
    "is compared with isoChecksum (%s) at preview",
    async (algorithm) => {
      for (const content of [file, bytes])
        expect(await reasons({ isoPath, isoChecksum: `${algorithm}:${sha(algorithm, content)}` })).toEqual(
          [],
        );
      const [reason] = await reasons({
        isoPath,
        isoChecksum: `${algorithm}:${"0".repeat(algorithm === "sha256" ? 64 : 128)}`,
      });
      expect(reason).toMatch(/^isoChecksum: .*is not what isoChecksum says/);
      expect(reason).toContain(sha(algorithm, file));
      expect(reason).toContain(sha(algorithm));
    },
  );

  test("has the sha256 of the image", async () => {
    const { inputs } = await checkTempIso({}, { ...base, isoPath });
    expect(inputs).toMatchObject({ isoSha256: sha("sha256") });
  });
});

test("a damaged archive is a problem of isoPath", async () => {
  const isoPath = writeTemporary(gzipSync(bytes).subarray(0, 60));
  expect(await reasons({ isoPath })).toEqual([
    expect.stringMatching(/^isoPath: .*cannot be decompressed \(gzip\)/),
  ]);
});

test.each<[Record<string, unknown>, RegExp]>([
  [{ isoUrl }, /^downloadOnHost: needs isoChecksum/],
  [{ isoPath: "x.iso" }, /^downloadOnHost: needs isoUrl/],
])("downloadOnHost is refused with %j", async (args, message) => {
  server.serve("/a.iso", { bytes });
  const found = await reasons({ ...args, downloadOnHost: true });
  expect(found).toEqual(expect.arrayContaining([expect.stringMatching(message)]));
});
