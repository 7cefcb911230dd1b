import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { type Compression, compressionOf, decompress } from "../../../provider/source/compression";
import type { Pieces } from "../../../provider/source/pieces";

/** Random bytes, text and zeros: several blocks of each format. */
const content = Buffer.concat([
  randomBytes(700_000),
  Buffer.from("some text ".repeat(80_000)),
  Buffer.alloc(900_000),
]);

const COMMANDS: Record<Compression, string[]> = {
  gzip: ["gzip"],
  xz: ["xz"],
  zstd: ["zstd", "-q"],
  bzip2: ["bzip2"],
};
const KINDS = Object.keys(COMMANDS) as Compression[];

function compressed(kind: Compression, bytes: Buffer, ...options: string[]): Buffer {
  const [command = "", ...given] = COMMANDS[kind];
  return execFileSync(command, [...given, ...options, "-c"], { input: bytes, maxBuffer: 100_000_000 });
}

async function* piecesOf(bytes: Buffer, pieceBytes: number): AsyncGenerator<Uint8Array> {
  // As a source does that reads into one buffer: each piece is good until the next one is asked for.
  const buffer = Buffer.alloc(pieceBytes);
  for (let start = 0; start < bytes.length; start += pieceBytes) {
    const length = bytes.copy(buffer, 0, start, start + pieceBytes);
    yield buffer.subarray(0, length);
    buffer.fill(0xff);
    await Promise.resolve();
  }
}

async function sha256Of(pieces: Pieces): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of pieces) hash.update(piece);
  return hash.digest("hex");
}

const decompressed = (kind: Compression, bytes: Buffer, pieceBytes = 65_536) =>
  sha256Of(decompress(kind, piecesOf(bytes, pieceBytes), "a file"));

const sha256 = createHash("sha256").update(content).digest("hex");

describe.each(KINDS)("%s", (kind) => {
  test("is known by its first bytes, and yields what was compressed", async () => {
    const bytes = compressed(kind, content);
    expect(compressionOf(bytes)).toBe(kind);
    expect(await decompressed(kind, bytes)).toBe(sha256);
    expect(await decompressed(kind, bytes, 777)).toBe(sha256);
  });

  test("with one archive after another yields the contents of both", async () => {
    const twice = createHash("sha256").update(content).update(content).digest("hex");
    const bytes = compressed(kind, content);
    expect(await decompressed(kind, Buffer.concat([bytes, bytes]))).toBe(twice);
    expect(await decompressed(kind, Buffer.concat([bytes, bytes]), bytes.length)).toBe(twice);
  });

  test.each([0.3, 0.9])("that is cut off at %s is damaged", async (part) => {
    const bytes = compressed(kind, content);
    await expect(decompressed(kind, bytes.subarray(0, bytes.length * part))).rejects.toMatchObject({
      code: "ARCHIVE_DAMAGED",
      message: expect.stringContaining(`a file cannot be decompressed (${kind})`),
    });
  });

  test("that lacks its last bytes is damaged", async () => {
    const bytes = compressed(kind, content);
    await expect(decompressed(kind, bytes.subarray(0, -3))).rejects.toMatchObject({
      code: "ARCHIVE_DAMAGED",
    });
  });

  test("fails with the error of its input", async () => {
    const broken = (async function* () {
      yield* piecesOf(compressed(kind, content).subarray(0, 100_000), 10_000);
      throw new Error("the cable is out");
    })();
    await expect(sha256Of(decompress(kind, broken, "a file"))).rejects.toThrow("the cable is out");
  });

  test("ends its input when its reader stops", async () => {
    let isEnded = false;
    const input = (async function* () {
      try {
        yield* piecesOf(compressed(kind, content), 50_000);
      } finally {
        isEnded = true;
      }
    })();
    for await (const piece of decompress(kind, input, "a file")) if (piece.length > 0) break;
    await vi.waitFor(() => expect(isEnded).toBe(true));
  });
});

test.each(["gzip", "xz", "bzip2"] as const)("%s with a flipped bit is damaged", async (kind) => {
  const bytes = compressed(kind, content);
  bytes[bytes.length >> 1]! ^= 1;
  await expect(decompressed(kind, bytes)).rejects.toMatchObject({ code: "ARCHIVE_DAMAGED" });
});

test("xz with several blocks and the largest dictionary", async () => {
  expect(await decompressed("xz", compressed("xz", content, "--block-size=100000"))).toBe(sha256);
  expect(await decompressed("xz", compressed("xz", content, "-9e"))).toBe(sha256);
});

test("xz with zeros between two archives, and none with something else after one", async () => {
  const bytes = compressed("xz", content);
  const padded = Buffer.concat([bytes, Buffer.alloc(4096), bytes]);
  const twice = createHash("sha256").update(content).update(content).digest("hex");
  expect(await decompressed("xz", padded)).toBe(twice);
  expect(await decompressed("xz", Buffer.concat([bytes, Buffer.alloc(200_000)]))).toBe(sha256);
  await expect(decompressed("xz", Buffer.concat([bytes, randomBytes(200_000)]))).rejects.toThrow(
    "something else follows",
  );
});

test("a window of Zstandard larger than its own tool takes is refused", async () => {
  const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 0x01, 0x00, 0x00]);
  await expect(decompressed("zstd", frame)).rejects.toMatchObject({ code: "ARCHIVE_DAMAGED" });
});

test.each(KINDS)("%s of 200 MB of zeros takes little memory", async (kind) => {
  const bytes = compressed(kind, Buffer.alloc(200_000_000));
  const before = process.memoryUsage().rss;
  let most = 0;
  let sizeBytes = 0;
  for await (const piece of decompress(kind, piecesOf(bytes, 1024 * 1024), "a file")) {
    sizeBytes += piece.length;
    most = Math.max(most, process.memoryUsage().rss - before);
  }
  expect(sizeBytes).toBe(200_000_000);
  expect(most).toBeLessThan(150_000_000);
});

test.each([
  ["an image", Buffer.alloc(40_000)],
  ["text", Buffer.from("BZh is not enough")],
  ["nothing", Buffer.alloc(0)],
])("%s is not compressed", (_what, bytes) => {
  expect(compressionOf(bytes)).toBeUndefined();
});
