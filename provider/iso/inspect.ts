import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";

/** What was found in a local image. */
export interface InspectedImage {
  /** In bytes. */
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** A local file that is not an image a virtual machine could read; the message says why. */
export class NotAnImageError extends Error {
  override readonly name = "NotAnImageError";
}

const SECTOR_BYTES = 2048;

/** The first 16 sectors are reserved for the system; descriptors follow (ECMA-119 §6.2.1, ECMA-167 2/8.3). */
const FIRST_DESCRIPTOR = 16;
const DESCRIPTORS = 16;

/** ISO 9660, the start of the extended area of UDF, and UDF. */
const IDENTIFIERS = ["CD001", "BEA01", "NSR02", "NSR03"];

/** How many bytes {@link isImage} needs. */
export const HEAD_BYTES = (FIRST_DESCRIPTOR + DESCRIPTORS) * SECTOR_BYTES;

/** Whether these are the first bytes of an ISO 9660 or UDF image. */
export function isImage(head: Uint8Array): boolean {
  const descriptors = Buffer.from(head).subarray(FIRST_DESCRIPTOR * SECTOR_BYTES);
  return Array.from({ length: DESCRIPTORS }, (_, sector) => sector * SECTOR_BYTES).some((offset) =>
    // The identifier follows the descriptor's type, one byte.
    IDENTIFIERS.includes(descriptors.toString("latin1", offset + 1, offset + 6)),
  );
}

/**
 * Reads a local file once, as a stream.
 *
 * @throws {@link NotAnImageError} when it is not a regular file, is empty, or is neither ISO 9660 nor UDF
 * @throws the file system's error when it cannot be read
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

/**
 * The size of the volume in bytes, as an ISO 9660 image states it; undefined for any other file. It exceeds the
 * size of the file if a download was cut off.
 *
 * @see ECMA-119 §8.4
 */
export async function volumeBytesOf(path: string): Promise<number | undefined> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(
      Buffer.alloc(SECTOR_BYTES),
      0,
      SECTOR_BYTES,
      FIRST_DESCRIPTOR * SECTOR_BYTES,
    );
    const isPrimary = buffer.toString("latin1", 0, 6) === "\x01CD001";
    return isPrimary ? buffer.readUInt32LE(80) * buffer.readUInt16LE(128) : undefined;
  } finally {
    await file.close();
  }
}

async function assertImage(path: string): Promise<void> {
  // Opening a named pipe would wait for a writer.
  if (!(await stat(path)).isFile()) throw new NotAnImageError("it is not a regular file");
  const file = await open(path);
  try {
    const stats = await file.stat();
    if (stats.size === 0) throw new NotAnImageError("it is empty");
    const head = Buffer.alloc(HEAD_BYTES);
    await file.read(head, 0, head.length, 0);
    if (!isImage(head)) throw new NotAnImageError("it is neither an ISO 9660 nor a UDF image");
  } finally {
    await file.close();
  }
}
