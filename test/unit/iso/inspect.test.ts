import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { inspectImage, volumeBytesOf } from "../../../provider/iso/inspect";
import { seedImage } from "../../seed-image";
import { imageBytes, writeTemporary } from "../image";

test.each(["CD001", "BEA01", "NSR02", "NSR03"])(
  "an image with %s is measured and hashed",
  async (identifier) => {
    const bytes = imageBytes("x", identifier);
    await expect(inspectImage(writeTemporary(bytes))).resolves.toEqual({
      sizeBytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
  },
);

test.each([
  ["it is empty", writeTemporary(Buffer.alloc(0))],
  ["it is not a regular file", tmpdir()],
  ["it is neither an ISO 9660 nor a UDF image", writeTemporary(Buffer.alloc(100_000, "text"))],
  ["it is neither an ISO 9660 nor a UDF image", writeTemporary(Buffer.from("CD001"))],
])("refused: %s", async (message, path) => {
  await expect(inspectImage(path)).rejects.toThrow(message);
});

test("a missing file is the file system's error", async () => {
  await expect(inspectImage("/no/such.iso")).rejects.toMatchObject({ code: "ENOENT" });
});

test("a named pipe is refused, and not waited for", async () => {
  const pipe = join(mkdtempSync(join(tmpdir(), "xen-iso-pipe-")), "pipe");
  execFileSync("/usr/bin/mkfifo", [pipe]);
  await expect(inspectImage(pipe)).rejects.toThrow("it is not a regular file");
});

test("an ISO 9660 image says how large its volume is, any other does not", async () => {
  const bytes = await seedImage();
  expect(await volumeBytesOf(writeTemporary(bytes))).toBe(bytes.length);
  expect(await volumeBytesOf(writeTemporary(bytes.subarray(0, 40_000)))).toBe(bytes.length);
  expect(await volumeBytesOf(writeTemporary(imageBytes("", "NSR02")))).toBeUndefined();
  expect(await volumeBytesOf(writeTemporary(bytes.subarray(0, 1000)))).toBeUndefined();
});
