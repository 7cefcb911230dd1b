import { randomBytes } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { factsOf, openFile, readText, shownUrl } from "../../../provider/source/http";
import type { Pieces } from "../../../provider/source/pieces";
import { type WebFileBehaviour, WebProxy, WebServer } from "../../web-server";

const bytes = randomBytes(3_000_000);

let server: WebServer;
beforeEach(async () => {
  for (const name of ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "NO_PROXY", "no_proxy"])
    vi.stubEnv(name, "");
  server = await WebServer.start();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
});

async function contentOf(pieces: Pieces): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}

const FAST = { firstPauseMs: 10 };

const download = async (file: WebFileBehaviour, headers?: Record<string, string>) =>
  contentOf((await openFile({ url: server.serve("/a.iso", file), headers }, FAST)).content);

describe("a file", () => {
  test("is read whole, with its length and validators", async () => {
    const validators = { etag: '"x"', "last-modified": "Wed, 01 Jan 2025 00:00:00 GMT" };
    const file = await openFile({ url: server.serve("/a.iso", { bytes, validators }) });

    expect(file).toMatchObject({
      sizeBytes: bytes.length,
      etag: '"x"',
      lastModified: "Wed, 01 Jan 2025 00:00:00 GMT",
    });
    expect((await contentOf(file.content)).equals(bytes)).toBe(true);
  });

  test("of unknown length is read whole", async () => {
    expect((await download({ bytes, chunked: true })).equals(bytes)).toBe(true);
  });

  test("is not requested further when its reader stops", async () => {
    const { content } = await openFile({ url: server.serve("/a.iso", { bytes }) });
    for await (const piece of content) if (piece.length > 0) break;

    expect(server.downloads).toHaveLength(1);
  });

  test("of a server that answers 404 names the URL without its query", async () => {
    await expect(openFile({ url: `${server.origin}/a.iso?token=s3cret` })).rejects.toMatchObject({
      code: "HTTP_STATUS",
      message: expect.stringMatching(
        /\/a\.iso cannot be read: the server answered 404 Not Found\. Check the URL\.$/,
      ),
    });
    expect(server.requests).toHaveLength(1);
  });

  test("of a server that cannot be reached is tried again, then named", async () => {
    const url = `${server.origin}/a.iso`;
    await server[Symbol.asyncDispose]();
    await expect(openFile({ url }, FAST)).rejects.toMatchObject({
      code: "UNREACHABLE",
      message: expect.stringContaining("ECONNREFUSED"),
    });
    server = await WebServer.start();
  });
});

describe("a redirect", () => {
  test("is followed, also to another server, which does not get the headers", async () => {
    await using other = await WebServer.start();
    const url = server.serve("/a.iso", { redirect: "/b.iso" });
    server.serve("/b.iso", { redirect: other.serve("/c.iso", { bytes }) });
    const { content } = await openFile({ url, headers: { "private-token": "s3cret" } });

    expect((await contentOf(content)).equals(bytes)).toBe(true);
    expect(server.requests.map(({ headers }) => headers["private-token"])).toEqual(["s3cret", "s3cret"]);
    expect(other.requests.map(({ headers }) => headers["private-token"])).toEqual([undefined]);
  });

  test("in a circle ends with an error", async () => {
    await expect(download({ redirect: "/a.iso" })).rejects.toThrow("redirects more than 10 times");
  });

  test("to something other than http is refused", async () => {
    await expect(download({ redirect: "file:///etc/passwd" })).rejects.toThrow(
      "Give a URL that stays with https",
    );
  });
});

describe("a download that breaks", () => {
  test("goes on where it was, by ranges", async () => {
    const file = { bytes, cut: { times: 2, afterBytes: 1_000_000 } };
    expect((await download(file)).equals(bytes)).toBe(true);

    expect(server.downloads.map(({ headers }) => headers.range)).toEqual([
      undefined,
      "bytes=1000000-",
      "bytes=2000000-",
    ]);
    expect(server.downloads.map(({ headers }) => headers["if-range"])).toEqual([undefined, '"1"', '"1"']);
    expect(server.downloads.reduce((sum, { sentBytes }) => sum + sentBytes, 0)).toBe(bytes.length);
  });

  test("begins again at a server without ranges, and yields each byte once", async () => {
    const file = { bytes, ranges: false, cut: { times: 1, afterBytes: 1_000_000 } };
    expect((await download(file)).equals(bytes)).toBe(true);
  });

  const dated = (day: number) => ({ "last-modified": `Wed, 0${day} Jan 2025 00:00:00 GMT` });

  test.each<[string, WebFileBehaviour, WebFileBehaviour, string, string]>([
    ["has another ETag", {}, { validators: { etag: '"2"' } }, "CONTENT_CHANGED", "another ETag"],
    [
      "has another date",
      { validators: dated(1) },
      { validators: dated(2) },
      "CONTENT_CHANGED",
      "another Last-Modified",
    ],
    [
      "is longer",
      {},
      { bytes: randomBytes(bytes.length + 1) },
      "CONTENT_CHANGED",
      `${bytes.length} bytes before, ${bytes.length + 1} now`,
    ],
    [
      "is longer, without ranges",
      { ranges: false },
      { ranges: false, bytes: randomBytes(bytes.length + 1) },
      "CONTENT_CHANGED",
      `${bytes.length} bytes before, ${bytes.length + 1} now`,
    ],
    ["is gone", {}, { status: 410 }, "HTTP_STATUS", "the server answered 410 Gone. Try again later"],
  ])("fails when the file %s since", async (_what, before, after, code, words) => {
    const cut = { times: 1, afterBytes: 1_000_000 };
    const { content } = await openFile({ url: server.serve("/a.iso", { bytes, cut, ...before }) }, FAST);
    server.files.set("/a.iso", { bytes: randomBytes(bytes.length), ...after });
    await expect(contentOf(content)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test("is tried again while the server is overloaded", async () => {
    const url = server.serve("/a.iso", { status: 503 });
    const opening = openFile({ url }, FAST);
    await vi.waitUntil(() => server.downloads.length > 0);
    server.serve("/a.iso", { bytes });
    await expect(opening).resolves.toMatchObject({ sizeBytes: bytes.length });
  });

  test("fails when it breaks again and again without a byte", async () => {
    const file = { bytes, cut: { times: 100, afterBytes: 0 } };
    await expect(download(file)).rejects.toMatchObject({ code: "UNREACHABLE" });
    expect(server.downloads).toHaveLength(4);
  });

  test("is noticed when the server goes silent", async () => {
    const url = server.serve("/a.iso", { bytes, stallAfterBytes: 1_000_000 });
    const { content } = await openFile({ url }, { silenceMs: 200, firstPauseMs: 10 });
    await expect(contentOf(content)).rejects.toMatchObject({ code: "UNREACHABLE" });
  });

  test("ends at once when it is aborted", async () => {
    const controller = new AbortController();
    const url = server.serve("/a.iso", { bytes, stallAfterBytes: 1_000_000 });
    const { content } = await openFile({ url }, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await expect(contentOf(content)).rejects.toThrow("enough");
  });
});

test("a file that is shorter than the server said is an error", async () => {
  await expect(download({ bytes, length: bytes.length + 10 })).rejects.toMatchObject({
    code: "WRONG_LENGTH",
    message: expect.stringContaining(`${bytes.length + 10} bytes were announced, ${bytes.length} came`),
  });
});

test("what a server knows of a file costs one HEAD request", async () => {
  expect(await factsOf({ url: server.serve("/a.iso", { bytes }) })).toEqual({
    sizeBytes: bytes.length,
    etag: '"1"',
  });
  expect(server.requests.map(({ method }) => method)).toEqual(["HEAD"]);
});

test("a server that does not answer HEAD requests leads to a checksum", async () => {
  const url = server.serve("/a.iso", { status: 405 });
  await expect(factsOf({ url })).rejects.toThrow("set the checksum");
});

test("headers are sent", async () => {
  const file: WebFileBehaviour = { bytes, needsHeader: ["authorization", "Bearer s3cret"] };
  await expect(download(file)).rejects.toThrow("headers such as Authorization");
  expect((await download(file, { authorization: "Bearer s3cret" })).equals(bytes)).toBe(true);
});

test("a text that is too long for a list of checksums is refused", async () => {
  const url = server.serve("/SHA256SUMS", { bytes: Buffer.alloc(5_000_000) });
  await expect(readText({ url })).rejects.toThrow("more than 4 MiB");
});

test("a proxy is taken from the environment, unless NO_PROXY names the host", async () => {
  await using proxy = await WebProxy.start();
  vi.stubEnv("HTTP_PROXY", proxy.url);
  expect((await download({ bytes })).equals(bytes)).toBe(true);
  expect(proxy.seen).toEqual([`GET ${server.origin}/a.iso`]);

  vi.stubEnv("NO_PROXY", "127.0.0.1");
  await download({ bytes });
  expect(proxy.seen).toHaveLength(1);
});

test("the query of a URL is not shown", () => {
  expect(shownUrl("https://example.net/a/b.iso?signature=s3cret#x")).toBe("https://example.net/a/b.iso");
});
