import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { expect, test } from "vitest";
import { inspectImage } from "../../../provider/iso/inspect";
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
  ["it is not a plain file", tmpdir()],
  ["it is neither an ISO 9660 nor a UDF image", writeTemporary(Buffer.alloc(100_000, "text"))],
  ["it is neither an ISO 9660 nor a UDF image", writeTemporary(Buffer.from("CD001"))],
])("refused: %s", async (message, path) => {
  await expect(inspectImage(path)).rejects.toThrow(message);
});

test("a missing file is the file system's error", async () => {
  await expect(inspectImage("/no/such.iso")).rejects.toMatchObject({ code: "ENOENT" });
});
