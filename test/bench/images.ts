import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { appendFileSync, closeSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { imageBytes } from "../unit/image";

export const KIB = 1024;
export const MIB = 1024 ** 2;
export const GIB = 1024 ** 3;

/** An image of bytes that do not repeat nearby. */
export function randomImage(folder: string, sizeBytes: number): string {
  const path = join(folder, `random-${sizeBytes}.iso`);
  const block = randomFillSync(Buffer.alloc(Math.min(16 * MIB, sizeBytes)));
  const header = imageBytes();
  const file = openSync(path, "w");
  for (let position = 0; position < sizeBytes; position += block.length) {
    block.writeBigUInt64LE(BigInt(position), 0);
    writeSync(file, block, 0, Math.min(block.length, sizeBytes - position), position);
  }
  writeSync(file, header, 0, header.length, 0);
  closeSync(file);
  return path;
}

/** An image that takes no room here, told from others by its name: what is sent is as much as of any other. */
export function sparseImage(folder: string, name: string, sizeBytes: number): string {
  const path = join(folder, `${name}.iso`);
  writeFileSync(path, imageBytes(name));
  truncateSync(path, sizeBytes);
  return path;
}

/** An image of zeros as a compressed file of several parts, as parallel compressors write it. */
export function compressedImage(folder: string, command: string, sizeBytes: number): string {
  const path = join(folder, `image.${command}`);
  const compress = (part: Uint8Array) =>
    execFileSync(command, ["-c"], { input: part, maxBuffer: PART_BYTES });
  const first = Buffer.alloc(PART_BYTES);
  first.set(imageBytes(command));
  writeFileSync(path, compress(first));
  const next = compress(Buffer.alloc(PART_BYTES));
  for (let size = PART_BYTES; size < sizeBytes; size += PART_BYTES) appendFileSync(path, next);
  return path;
}

const PART_BYTES = 64 * MIB;

/** `64 KiB`, `1 GiB` */
export function sizeName(bytes: number): string {
  if (bytes >= GIB) return `${bytes / GIB} GiB`;
  return bytes >= MIB ? `${bytes / MIB} MiB` : `${bytes / KIB} KiB`;
}
