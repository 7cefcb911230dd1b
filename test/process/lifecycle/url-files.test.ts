import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { imageOf } from "../../../provider/lifecycle/image-source";
import { checkTempIso, type TempIsoInputs } from "../../../provider/lifecycle/inputs";
import { preview } from "../../../provider/lifecycle/temp-iso";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { seedImage } from "../../seed-image";
import { WebServer } from "../../web-server";

const MIB = 1024 ** 2;

let server: WebServer;
beforeAll(async () => void (server = await WebServer.start()));
afterAll(() => server[Symbol.asyncDispose]());

beforeEach(() => {
  const get = () => undefined as unknown as string;
  configure({ get, require: get });
  server.requests.length = 0;
});

const base = {
  owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
  connection: { host: "xen1.example.net", password: "p" },
};
const bytes = Buffer.from("agent\0");
const sha = (algorithm: string, content: Uint8Array) =>
  `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
const methods = () => server.requests.map(({ method }) => method);

async function inputsOf(files: object, more: Record<string, unknown> = {}): Promise<TempIsoInputs> {
  const { inputs, failures } = await checkTempIso({}, { ...base, files, ...more });
  expect(failures).toEqual([]);
  return inputs as unknown as TempIsoInputs;
}

async function reasons(files: object): Promise<string[]> {
  const { failures } = await checkTempIso({}, { ...base, files });
  expect(failures.every(({ property }) => property === "")).toBe(true);
  return failures.map(({ reason }) => reason);
}

async function built(inputs: TempIsoInputs): Promise<Buffer> {
  const image = await imageOf(inputs);
  if (!("source" in image)) throw new Error("It is a stream.");
  const pieces: Uint8Array[] = [];
  for await (const piece of image.source.read({ start: 0, end: image.source.sizeBytes })) pieces.push(piece);
  const content = Buffer.concat(pieces);
  expect(sha("sha256", content)).toBe(`sha256:${image.sha256}`);
  return content;
}

const url404 = "https://example.net/a?token=s3cret";
test.each<[string, unknown, RegExp]>([
  ["url and path", { url: url404, path: "a" }, /has url and path; /],
  [
    "another scheme",
    { url: "ftp://example.net/a" },
    /has a url that must be a URL .* \{ path \} takes a local/,
  ],
  ["a url that is no text", { url: 1 }, /has a url that is not a string/],
  ["user and password", { url: "https://u:s3cret@example.net/a" }, /has a url that must be without user and/],
  ["a checksum without its kind", { url: url404, checksum: "00" }, /has a checksum that must be sha256:/],
  ["a checksum that is no text", { url: url404, checksum: 1 }, /has a checksum that must be a string/],
  ["a URL as a path", { path: "https://example.net/a" }, /has a path that is a URL; set \{ url \} to it/],
  ["a path with ~", { path: "~/a" }, /has a path that begins with ~/],
])("refuses %s", async (_title, file, reason) => {
  const found = await reasons({ a: file });
  expect(found).toEqual([expect.stringMatching(reason)]);
  expect(found[0]).toMatch(/^files\["a"\]: /);
  expect(found[0]).not.toContain("s3cret");
});

describe("files from URLs", () => {
  test("are on the disc; with a checksum, nothing is asked before the disc is made", async () => {
    const url = server.serve("/agent", { bytes });
    for (const algorithm of ["sha256", "sha512"]) {
      server.requests.length = 0;
      const files = { "bin/agent": { url, checksum: sha(algorithm, bytes) }, "user-data": "#!x\n" };
      const inputs = await inputsOf(files);
      await preview(inputs);
      expect(methods()).toEqual([]);
      expect(inputs).toMatchObject({
        isoIdentity: expect.stringMatching(/^built from [0-9a-f]{64}$/),
        imageFormat: 2,
      });
      expect(inputs).not.toHaveProperty("isoSha256");
      const expected = { "bin/agent": { base64: bytes.toString("base64") }, "user-data": "#!x\n" };
      expect((await built(inputs)).equals(await seedImage(expected))).toBe(true);
      expect(methods()).toEqual(["GET"]);
    }
  });

  test("without a checksum are asked for with one HEAD, and are another content with another ETag", async () => {
    const url = server.serve("/a", { bytes, validators: { etag: '"1"' } });
    const first = await inputsOf({ a: { url } });
    expect(methods()).toEqual(["HEAD"]);
    expect((await inputsOf({ a: { url } })).isoIdentity).toBe(first.isoIdentity);
    server.serve("/a", { bytes, validators: { etag: '"2"' } });
    expect((await inputsOf({ a: { url } })).isoIdentity).not.toBe(first.isoIdentity);
    await expect(imageOf(first)).rejects.toMatchObject({ code: "CONTENT_CHANGED" });
  });

  test.each<[string, (files: Record<string, unknown>) => object, Record<string, unknown>?]>([
    ["another file", (files) => ({ ...files, b: "other" })],
    ["another path", ({ a, ...files }) => ({ ...files, c: a })],
    ["another label", (files) => files, { volumeLabel: "x" }],
  ])(
    "and %s are another content; another URL with the same checksum is not",
    async (_title, change, more) => {
      const checksum = sha("sha256", bytes);
      const files = { a: { url: `${server.origin}/a`, checksum }, b: "text" };
      const { isoIdentity } = await inputsOf(files);
      expect((await inputsOf({ ...files, a: { url: `${server.origin}/b?c`, checksum } })).isoIdentity).toBe(
        isoIdentity,
      );
      expect((await inputsOf(change(files), more)).isoIdentity).not.toBe(isoIdentity);
    },
  );

  test("are named by a list of checksums", async () => {
    const url = server.serve("/d/agent", { bytes });
    const list = `${createHash("sha256").update(bytes).digest("hex")}  agent\n`;
    const checksum = server.serve("/SHA256SUMS", { bytes: Buffer.from(list) });
    const inputs = await inputsOf({ a: { url, checksum } });
    expect(inputs.isoIdentity).toBe(
      (await inputsOf({ a: { url, checksum: sha("sha256", bytes) } })).isoIdentity,
    );
    await built(inputs);
  });

  test("that are not known yet are left for the up", async () => {
    const inputs = await inputsOf({
      a: { url: UNKNOWN },
      b: { url: `${server.origin}/b`, checksum: UNKNOWN },
    });
    expect(inputs.isoIdentity).toBe(UNKNOWN);
    expect(methods()).toEqual([]);
  });

  test.each([
    ["answered 404", {}, /^files\["a"\]: .*\/gone cannot be read: the server answered 404/],
    [
      "say nothing of their content",
      { bytes, validators: {} },
      /neither ETag nor Last-Modified.* Set its checksum/,
    ],
  ])("that are %s are problems at preview", async (_title, behaviour, reason) => {
    if ("bytes" in behaviour) server.serve("/gone", behaviour);
    else server.files.delete("/gone");
    expect(await reasons({ a: { url: `${server.origin}/gone?token=s3cret` } })).toEqual([
      expect.stringMatching(reason),
    ]);
  });

  test("with another content than the checksum says make no disc", async () => {
    const url = `${server.serve("/other", { bytes: Buffer.from("other") })}?token=s3cret`;
    const made = imageOf(await inputsOf({ a: { url, checksum: `sha256:${"0".repeat(64)}` } }));
    await expect(made).rejects.toMatchObject({ code: "CHECKSUM_MISMATCH" });
    await expect(made).rejects.not.toThrow("s3cret");
  });

  test("of more than 64 MiB together make no disc", async () => {
    const large = Buffer.alloc(33 * MIB);
    const url = server.serve("/large", { bytes: large, chunked: true });
    const other = server.serve("/other-large", { bytes: large });
    const inputs = await inputsOf({ a: { url }, b: { url: other } });
    await expect(imageOf(inputs)).rejects.toThrow(
      /other-large is too large: .* 64 MiB together\. Download it/,
    );
  });

  test("of the same checksum are downloaded once while they are in use", async () => {
    const content = Buffer.from("shared");
    const url = server.serve("/shared", { bytes: content });
    const inputs = await inputsOf({ a: { url, checksum: sha("sha256", content) } });
    const first = await imageOf(inputs);
    await built(inputs);
    expect(methods()).toEqual(["GET"]);
    expect(first).toHaveProperty("source");
  });
});
