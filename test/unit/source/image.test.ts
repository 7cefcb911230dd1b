import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { parseChecksum } from "../../../provider/source/checksum";
import { imageIn, type ReadImage } from "../../../provider/source/image";

const content = Buffer.alloc(100_000, "image");
const sha = (algorithm: "sha256" | "sha512", bytes: Uint8Array) =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}`;

/** Reads a file as an image. */
async function read(file: Uint8Array, checksum = "", problem?: string) {
  const pieces: Buffer[] = [];
  let found: ReadImage | undefined;
  const source = (async function* () {
    for (let start = 0; start < file.length; start += 7_000) yield file.subarray(start, start + 7_000);
    await Promise.resolve();
  })();
  const options = {
    name: "a.iso",
    checksum: parseChecksum(checksum),
    headBytes: 65_536,
    problemOf: () => problem,
    onRead: (image: ReadImage) => (found = image),
  };
  for await (const piece of imageIn(source, options)) pieces.push(Buffer.from(piece));
  return { bytes: Buffer.concat(pieces), found };
}

describe.each([
  ["as it is", content, {}],
  ["compressed", gzipSync(content), { compression: "gzip" }],
])("an image %s", (_how, file, expected) => {
  test("is read with its size and sha256", async () => {
    const { bytes, found } = await read(file);
    expect(bytes.equals(content)).toBe(true);
    expect(found).toMatchObject({
      sizeBytes: content.length,
      sha256: sha("sha256", content).slice(7),
      ...expected,
    });
  });

  test.each(["sha256", "sha512"] as const)(
    "may have the %s of the file or of the image",
    async (algorithm) => {
      await expect(read(file, sha(algorithm, file))).resolves.toBeDefined();
      await expect(read(file, sha(algorithm, content))).resolves.toBeDefined();
    },
  );

  test("with another checksum is refused, which shows those that it has", async () => {
    const wanted = `sha256:${"0".repeat(64)}`;
    const failure = await read(file, wanted).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "CHECKSUM_MISMATCH" });
    for (const text of [sha("sha256", file), sha("sha256", content), wanted])
      expect((failure as Error).message).toContain(text);
  });
});

test("what is no image is refused before its first byte is passed on", async () => {
  await expect(read(content, "", "it is neither ISO nor UDF")).rejects.toMatchObject({
    code: "NOT_AN_IMAGE",
    message: expect.stringContaining("a.iso cannot be used: it is neither ISO nor UDF. Give an ISO image"),
  });
});

test("a web page is called one", async () => {
  const page = Buffer.from("<!DOCTYPE html>\n<title>Log in</title>");
  await expect(read(page, "", "it is neither ISO nor UDF")).rejects.toThrow("It is a web page");
});
