import { appendFileSync, rmSync, truncateSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { buildIso } from "../../../provider/iso/build";
import { checkIsoFiles, type IsoBuildError, volumeLabelProblem } from "../../../provider/iso/check";
import { writeTemporary } from "../image";

const SEED = {
  "user-data": "#cloud-config\n",
  "meta-data": "instance-id: web-1\n",
  "network-config": "version: 2\n",
};

describe("an image's bytes", () => {
  test("a seed of three small files takes 28 sectors, and 150 of padding", async () => {
    const image = buildIso(SEED);
    expect(image.sizeBytes).toBe(178 * 2048);
    expect(await bytesOf(image)).toHaveLength(178 * 2048);
  });

  test("end with empty sectors, which are part of the volume, in format 2 alone", async () => {
    const padded = await bytesOf(buildIso(SEED, { imageFormat: 2 }));
    const bare = await bytesOf(buildIso(SEED, { imageFormat: 1 }));
    expect(padded.equals(await bytesOf(buildIso(SEED)))).toBe(true);
    expect(bare).toHaveLength(28 * 2048);
    expect(padded.subarray(28 * 2048).every((byte) => byte === 0)).toBe(true);
    for (const [bytes, sectors] of [
      [padded, 178],
      [bare, 28],
    ] as const)
      for (const descriptor of [16, 17]) expect(bytes.readUInt32LE(descriptor * 2048 + 80)).toBe(sectors);
    const rest = (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 16 * 2048), bytes.subarray(18 * 2048)]);
    expect(
      rest(padded)
        .subarray(0, 26 * 2048)
        .equals(rest(bare)),
    ).toBe(true);
  });

  test("are the same wherever and whenever it is built", async () => {
    const files = {
      ...SEED,
      "Ä folder/漢字/😀.txt": "text",
      ["漢".repeat(64)]: { base64: "AAEC/w==" },
      empty: "",
    };
    // Every disc whose state has this format would be replaced if these changed.
    expect(await digestOf(buildIso(files, { imageFormat: 1 }))).toBe(
      "315b61ad2ca9a6fc799df167c0781342ea09e51529e0f793ae0cfad220f569eb",
    );
    expect(await digestOf(buildIso(files, { imageFormat: 2 }))).toBe(
      "dba8bfb771e9b5ed3f9ef847cb53b3c9a7d53b467b66d7b41aba9269cef60485",
    );
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    expect(await digestOf(buildIso(reversed))).toBe(await digestOf(buildIso(files)));
  });

  test("differ with the label", async () => {
    const plain = await digestOf(buildIso(SEED));
    expect(await digestOf(buildIso(SEED, { volumeLabel: "CIDATA" }))).not.toBe(plain);
    expect(await digestOf(buildIso(SEED, { volumeLabel: "cidata" }))).toBe(plain);
    expect(await digestOf(buildIso(SEED, { volumeLabel: undefined }))).toBe(plain);
  });

  test("are the same for text, base64 and a local file", async () => {
    const images = [
      "Grüße",
      { base64: Buffer.from("Grüße").toString("base64") },
      { base64: "R3LD\nvMOf\r\nZQ==\n" },
      { path: writeTemporary(Buffer.from("Grüße")) },
    ].map((file) => digestOf(buildIso({ file })));
    expect(new Set(await Promise.all(images)).size).toBe(1);
  });

  test("can be read again", async () => {
    const image = buildIso({ file: { path: writeTemporary(Buffer.from("again")) } });
    expect(await digestOf(image)).toBe(await digestOf(image));
  });

  test("come in chunks of at most 1 MiB, however large a local file is", async () => {
    const path = sparseFile(64 * 1024 * 1024 + 1);
    const image = buildIso({ large: { path } });
    let sizeBytes = 0;
    for await (const chunk of image) {
      expect(chunk.length).toBeLessThanOrEqual(1024 * 1024);
      sizeBytes += chunk.length;
    }
    expect(sizeBytes).toBe(image.sizeBytes);
  });

  test("of no files are an image too", async () => {
    expect(await bytesOf(buildIso({}))).toHaveLength(175 * 2048);
  });

  test("are found for ten thousand names that begin alike", () => {
    const files = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`a name of more than thirty characters ${index}`, ""]),
    );
    expect(buildIso(files).sizeBytes).toBeGreaterThan(10_000 * 100);
  });
});

describe("a range of an image", () => {
  const local = writeTemporary(Buffer.from("0123456789".repeat(700)));
  const FILES = {
    "0 text": "Grüße",
    "1 empty": "",
    "2 local": { path: local },
    "3 folder/whole sectors": { base64: Buffer.alloc(4096, "x").toString("base64") },
    "4 empty local": { path: writeTemporary(Buffer.alloc(0)) },
    "5 last": { path: local },
    "6 empty at the end": "",
  };

  test("has the bytes of the whole image at its place, for any start and end", async () => {
    const image = buildIso(FILES);
    const whole = await bytesOf(image);
    const offset = fc.oneof(
      fc.integer({ min: 0, max: image.sizeBytes }),
      // Where something ends or begins, or beside it.
      fc
        .tuple(fc.integer({ min: 0, max: image.sizeBytes / 2048 }), fc.integer({ min: -1, max: 1 }))
        .map(([sector, more]) => Math.min(Math.max(sector * 2048 + more, 0), image.sizeBytes)),
    );
    await fc.assert(
      fc.asyncProperty(offset, offset, async (one, other) => {
        const range = { start: Math.min(one, other), end: Math.max(one, other) };
        const bytes = await bytesOf(image.read(range));
        expect(bytes.equals(whole.subarray(range.start, range.end))).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("may be read beside others", async () => {
    const image = buildIso(FILES);
    const step = 5000;
    const starts = Array.from({ length: Math.ceil(image.sizeBytes / step) }, (_, index) => index * step);
    const parts = await Promise.all(
      starts.map((start) => bytesOf(image.read({ start, end: Math.min(start + step, image.sizeBytes) }))),
    );
    expect(Buffer.concat(parts).equals(await bytesOf(image))).toBe(true);
  });

  test("opens no local file outside of it", async () => {
    const gone = writeTemporary(Buffer.alloc(5000));
    const image = buildIso({ "0 gone": { path: gone }, "1 there": { path: local } });
    unlinkSync(gone);
    const end = image.sizeBytes;
    const second = end - 150 * 2048 - 8192;
    const wanted = Buffer.concat([Buffer.from("0123456789".repeat(700))], end - second);
    expect((await bytesOf(image.read({ start: second, end }))).equals(wanted)).toBe(true);
    await expect(bytesOf(image.read({ start: second - 1 - 2048, end }))).rejects.toMatchObject({
      code: "ISO_FILE_UNREADABLE",
    });
  });

  test.each([
    ["grew", (path: string) => appendFileSync(path, "x")],
    ["shrank", (path: string) => truncateSync(path, 1)],
  ])("at the end of a file that %s fails", async (_what, change) => {
    const path = writeTemporary(Buffer.alloc(4096, "x"));
    const image = buildIso({ file: { path } });
    change(path);
    const end = image.sizeBytes - 150 * 2048;
    const range = { start: end - 10, end };
    await expect(bytesOf(image.read(range))).rejects.toMatchObject({ code: "ISO_FILE_CHANGED" });
  });
});

describe("refused with the path and the reason", () => {
  test.each([
    ["a".repeat(65), "65 UTF-16 units"],
    ["😀".repeat(33), "66 UTF-16 units"],
    [`${"ä".repeat(65)}/file`, "65 UTF-16 units"],
    ["1/2/3/4/5/6/7/8/9", "9 levels deep"],
    ["/etc/passwd", "absolute"],
    ["", "empty part"],
    ["a//b", "empty part"],
    ["a/", "empty part"],
    [".", 'a part "."'],
    ["a/../b", 'a part ".."'],
    ["a\0", "control character"],
    ["a\nb", "control character"],
    ["\x7f", "control character"],
    ["\x85", "control character"],
    ["\ud83d", "well-formed"],
    ["a\\b", "Joliet forbids"],
    ["C:", "Joliet forbids"],
    ["a*", "Joliet forbids"],
    ["a?", "Joliet forbids"],
    ["a;1", "Joliet forbids"],
  ])("path %j", (path, reason) => {
    expect(checkIsoFiles({ good: "", [path]: "" })).toEqual([
      { path, reason: expect.stringContaining(reason) as unknown },
    ]);
    expect(errorOf(() => buildIso({ [path]: "" }))).toMatchObject({
      code: "ISO_FILES_REFUSED",
      problems: [{ path }],
    });
  });

  test.each([
    [{ "user-data": "", "User-Data": "" }, "user-data", 'only in case from "User-Data"'],
    [{ "ä/x": "", "Ä/y": "" }, "ä/x", 'only in case from "Ä"'],
    [{ "A/x": "", a: "" }, "a", 'only in case from "A"'],
    [{ a: "", "a/b": "" }, "a/b", '"a" to be a folder'],
    [{ "a/b": "", "a/b/c/d": "" }, "a/b/c/d", '"a/b" to be a folder'],
  ])("paths of %j", (files, path, reason) => {
    expect(checkIsoFiles(files)).toEqual([{ path, reason: expect.stringContaining(reason) as unknown }]);
  });

  test.each([
    [{ base64: "abc" }, "base64"],
    [{ base64: "ab=c" }, "base64"],
    [{ base64: "äöü=" }, "base64"],
    [{ base64: "YQ" }, "base64"],
    [{ base64: "YR==" }, "base64"],
    [{ base64: 1 }, "must be text"],
    [{ path: "" }, "must be text"],
    [{ path: "a", base64: "YQ==" }, "must be text"],
    [{}, "must be text"],
    [null, "must be text"],
    [7, "must be text"],
  ])("content %j", (file, reason) => {
    expect(checkIsoFiles({ file })).toEqual([
      { path: "file", reason: expect.stringContaining(reason) as unknown },
    ]);
  });

  test("a message has all problems, and nothing of a content", () => {
    const error = errorOf(() => buildIso({ "a:": "", "b\n": "", c: { base64: "secret!" } }));
    expect(error.message).toMatch(
      /^The image cannot be built: "a:" has .*; "b\\n" has .*; "c" is not valid base64/,
    );
    expect(error.message).not.toContain("secret");
  });

  test.each(["", "x".repeat(33), "ä", "a/b", "a:b", "a\n", " a", "a ", 7, undefined])("label %j", (label) => {
    expect(volumeLabelProblem(label)).toContain("the volume's label");
  });

  test("a label, by the builder", () => {
    expect(errorOf(() => buildIso({}, { volumeLabel: "a/b" }))).toMatchObject({
      code: "ISO_FILES_REFUSED",
      problems: [{ path: "" }],
    });
  });

  test.each(["cidata", "CIDATA", "x".repeat(32), "config-2", "My label, (1)"])(
    "not refused: label %j",
    (label) => {
      expect(volumeLabelProblem(label)).toBeUndefined();
    },
  );

  test("not refused: names at the limits, and those that are two to Windows too", () => {
    const files = {
      "1/2/3/4/5/6/7/8": "",
      ["漢".repeat(64)]: "",
      ["😀".repeat(32)]: "",
      straße: "",
      strasse: "",
    };
    expect(checkIsoFiles(files)).toEqual([]);
    expect(checkIsoFiles({ "not/yet/there": { path: "/no/such/file" } })).toEqual([]);
  });
});

describe("a local file", () => {
  test("that is missing is an error with the file system's as its cause", () => {
    expect(errorOf(() => buildIso({ file: { path: "/no/such/file" } }))).toMatchObject({
      code: "ISO_FILE_UNREADABLE",
      message: expect.stringContaining(
        '"file" cannot be made: the local file /no/such/file cannot be read',
      ) as unknown,
      cause: { code: "ENOENT" },
    });
  });

  test("that is a folder is refused", () => {
    expect(errorOf(() => buildIso({ file: { path: tmpdir() } }))).toMatchObject({
      code: "ISO_FILES_REFUSED",
    });
  });

  test("of 4 GiB is refused, one of a byte less is not", () => {
    const path = sparseFile(2 ** 32);
    const error = errorOf(() => buildIso({ large: { path } }));
    expect(error).toMatchObject({ code: "ISO_FILES_REFUSED", problems: [{ path: "large" }] });
    expect(error.message).toContain("4 GiB");
    truncateSync(path, 2 ** 32 - 1);
    expect(buildIso({ large: { path } }).sizeBytes).toBe(2 ** 32 + 175 * 2048);
  });

  test.each([
    [
      "grew",
      (path: string) => appendFileSync(path, "x"),
      "ISO_FILE_CHANGED",
      "had 7 bytes before, and has more now",
    ],
    [
      "shrank",
      (path: string) => truncateSync(path, 1),
      "ISO_FILE_CHANGED",
      "had 7 bytes before, and has fewer now",
    ],
    ["was emptied", (path: string) => truncateSync(path, 0), "ISO_FILE_CHANGED", "and has fewer now"],
    ["vanished", (path: string) => unlinkSync(path), "ISO_FILE_UNREADABLE", "cannot be read: Error: ENOENT"],
  ])("that %s after the image was laid out fails the reading", async (_what, change, code, words) => {
    const path = writeTemporary(Buffer.from("content"));
    const image = buildIso({ file: { path } });
    change(path);
    const error = await bytesOf(image).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: "IsoBuildError", code, problems: [{ path: "file" }] });
    expect(String(error)).toContain(words);
  });

  test("that was empty and grew fails the reading", async () => {
    const path = writeTemporary(Buffer.alloc(0));
    const image = buildIso({ file: { path } });
    appendFileSync(path, "x");
    await expect(bytesOf(image)).rejects.toMatchObject({ code: "ISO_FILE_CHANGED" });
  });
});

async function bytesOf(image: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of image) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function digestOf(image: AsyncIterable<Uint8Array>): Promise<string> {
  return createHash("sha256")
    .update(await bytesOf(image))
    .digest("hex");
}

function errorOf(build: () => unknown): IsoBuildError {
  try {
    build();
  } catch (error) {
    return error as IsoBuildError;
  }
  throw new Error("nothing was thrown");
}

/** Takes no room on the disk; gone with the test. */
function sparseFile(sizeBytes: number): string {
  const path = writeTemporary(Buffer.alloc(0), "sparse");
  onTestFinished(() => rmSync(dirname(path), { recursive: true }));
  truncateSync(path, sizeBytes);
  return path;
}
