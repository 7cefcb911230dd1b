import { createReadStream, type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { decodeBase64, IsoBuildError, type IsoBuildErrorCode, type IsoFile } from "./check";

/** From `start` up to but excluding `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The bytes of one file, whose size is known before it is read. */
export interface Source {
  readonly sizeBytes: number;
  /** Can be called repeatedly and concurrently. */
  read(range: ByteRange): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** @param path on the disc, for error messages */
export function sourceOf(path: string, file: IsoFile | Uint8Array): Source {
  if (file instanceof Uint8Array) return inlineSource(file);
  if (typeof file === "string") return inlineSource(Buffer.from(file));
  if ("base64" in file) return inlineSource(decodeBase64(file.base64));
  return localSource(path, file.path);
}

const inlineSource = (bytes: Uint8Array): Source => ({
  sizeBytes: bytes.length,
  read: ({ start, end }) => [bytes.subarray(start, end)],
});

/** The size of a file section has 32 bits (ECMA-119 §9.1.4); several sections need interchange level 3. */
const LARGEST_FILE_BYTES = 0xffff_ffff;

const CHUNK_BYTES = 1024 * 1024;

function localSource(path: string, localPath: string): Source {
  const fail = failing(path, localPath);
  const stats = statsOf(localPath, fail);
  if (!stats.isFile()) throw fail("ISO_FILES_REFUSED", "is not a regular file");
  if (stats.size > LARGEST_FILE_BYTES)
    throw fail("ISO_FILES_REFUSED", "has 4 GiB or more, which ISO 9660 cannot hold");
  return { sizeBytes: stats.size, read: (range) => readLocal(localPath, stats.size, range, fail) };
}

type Fail = (code: IsoBuildErrorCode, what: string, cause?: unknown) => IsoBuildError;

const failing =
  (path: string, localPath: string): Fail =>
  (code, what, cause) => {
    const reason = `cannot be made: the local file ${resolve(localPath)} ${what}`;
    return new IsoBuildError(code, [{ path, reason }], { cause });
  };

function statsOf(localPath: string, fail: Fail): Stats {
  try {
    return statSync(localPath);
  } catch (error) {
    throw fail("ISO_FILE_UNREADABLE", `cannot be read: ${String(error)}`, error);
  }
}

async function* readLocal(
  localPath: string,
  sizeBytes: number,
  { start, end }: ByteRange,
  fail: Fail,
): AsyncGenerator<Buffer, void> {
  // A stream's range includes its last byte. At the end of the file it asks for one byte more, which exists
  // only if the file has grown.
  const last = end === sizeBytes ? end : end - 1;
  let position = start;
  try {
    const stream = createReadStream(localPath, { highWaterMark: CHUNK_BYTES, start, end: last });
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      position += chunk.length;
      if (position <= end) yield chunk;
    }
  } catch (error) {
    throw fail("ISO_FILE_UNREADABLE", `cannot be read: ${String(error)}`, error);
  }
  if (position !== end)
    throw fail(
      "ISO_FILE_CHANGED",
      `had ${sizeBytes} bytes before, and has ${position > end ? "more" : "fewer"} now`,
    );
}
