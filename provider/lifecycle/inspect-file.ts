import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { HEAD_BYTES, type InspectedImage, inspectImage, isImage } from "../iso/inspect";
import type { Algorithm } from "../source/checksum";
import { type Compression, compressionOf, MAGIC_BYTES } from "../source/compression";
import { type Checksums, imageIn, type ReadImage } from "../source/image";

/** What was found in a local file, and in its image. */
export interface InspectedFile extends InspectedImage {
  /** How it is compressed, if it is. */
  readonly compression?: Compression;
  /** Omitted if both are the image's sha256. */
  readonly checksums?: Checksums;
}

const PIECE_BYTES = 1024 * 1024;

/**
 * Reads a local file once, as a stream, and decompresses it if it is compressed.
 *
 * @param algorithm of the checksums that are found
 * @throws `NotAnImageError`, `SourceError`, what the file system says when it cannot be read
 */
export async function inspectFile(path: string, algorithm: Algorithm): Promise<InspectedFile> {
  const compression = await compressionOfFile(path);
  if (!compression && algorithm === "sha256") return inspectImage(path);
  let found: ReadImage | undefined;
  const pieces = imageInFile(path, { algorithm, onRead: (image) => (found = image) });
  for await (const piece of pieces) if (piece.length === 0) continue;
  if (!found) throw new TypeError("The file was not read.");
  return found;
}

/** The bytes of the image in a local file, as they are now. */
export function imageInFile(
  path: string,
  options: { readonly algorithm?: Algorithm; readonly onRead: (image: ReadImage) => void },
): AsyncIterable<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>;
  return imageIn(file, { name: path, problemOf: headProblem, headBytes: HEAD_BYTES, ...options });
}

/** What is wrong with the beginning of an image, if anything is. */
export function headProblem(head: Uint8Array): string | undefined {
  return isImage(head) ? undefined : "it is neither an ISO 9660 nor a UDF image";
}

async function compressionOfFile(path: string): Promise<Compression | undefined> {
  // Opening a named pipe would wait for a writer.
  if (!(await stat(path)).isFile()) return undefined;
  const file = await open(path);
  try {
    const head = Buffer.alloc(MAGIC_BYTES);
    const { bytesRead } = await file.read(head, 0, MAGIC_BYTES, 0);
    return compressionOf(head.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
