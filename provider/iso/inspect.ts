import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";

/** What a local image is found to be. */
export interface InspectedImage {
  /** In bytes. */
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A local file that is not an image which a virtual machine could read; the message says why. */
export class NotAnImageError extends Error {
  override readonly name = "NotAnImageError";
}

const SECTOR_BYTES = 2048;

/** The first 16 sectors are the system's own; descriptors follow (ECMA-119 §6.2.1, ECMA-167 2/8.3). */
const FIRST_DESCRIPTOR = 16;
const DESCRIPTORS = 16;

/** ISO 9660, the beginning of UDF's extended area, and UDF. */
const IDENTIFIERS = ["CD001", "BEA01", "NSR02", "NSR03"];

/** The sectors in which {@link isImage} looks, in bytes. */
export const HEAD_BYTES = (FIRST_DESCRIPTOR + DESCRIPTORS) * SECTOR_BYTES;

/** Whether what begins like this is an ISO 9660 or UDF image. */
export function isImage(head: Uint8Array): boolean {
  const descriptors = Buffer.from(head).subarray(FIRST_DESCRIPTOR * SECTOR_BYTES);
  return Array.from({ length: DESCRIPTORS }, (_, sector) => sector * SECTOR_BYTES).some((offset) =>
    // The identifier follows the descriptor's type, one byte.
    IDENTIFIERS.includes(descriptors.toString("latin1", offset + 1, offset + 6)),
  );
}

/**
 * Reads a local file once, as a stream, whatever its size.
 *
 * @throws {@link NotAnImageError} when it is no plain file, empty, or neither ISO 9660 nor UDF
 * @throws what the file system says when it cannot be read
 */
export async function inspectImage(path: string): Promise<InspectedImage> {
  await assertImage(path);
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

async function assertImage(path: string): Promise<void> {
  const file = await open(path);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw new NotAnImageError("it is not a plain file");
    if (stats.size === 0) throw new NotAnImageError("it is empty");
    const head = Buffer.alloc(HEAD_BYTES);
    await file.read(head, 0, head.length, 0);
    if (!isImage(head)) throw new NotAnImageError("it is neither an ISO 9660 nor a UDF image");
  } finally {
    await file.close();
  }
}
