import type { FileHandle } from "node:fs/promises";
import type { Range } from "../ssh/upload";

/** Smaller pieces need more calls, larger ones exceed the processor's cache. */
const PIECE_BYTES = 512 * 1024;

/**
 * Reads a range of an open file; while one piece is used, the next one is read. Two buffers serve the whole range,
 * because a new one for each piece costs as much garbage collection as the encryption. Ends early if the file
 * does.
 */
export async function* readAhead(file: FileHandle, { start, end }: Range): AsyncGenerator<Buffer, void> {
  let reading: ReturnType<typeof readNext> | undefined;
  let position = start;
  const readNext = (buffer: Buffer) => file.read(buffer, 0, Math.min(PIECE_BYTES, end - position), position);
  try {
    let buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
    let other = Buffer.allocUnsafeSlow(PIECE_BYTES);
    reading = readNext(buffer);
    while (position < end) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      position += bytesRead;
      if (position < end) {
        reading = readNext(other);
        // A failure is thrown when the piece is asked for.
        reading.catch(() => undefined);
      }
      yield buffer.subarray(0, bytesRead);
      [buffer, other] = [other, buffer];
    }
  } finally {
    await reading?.catch(() => undefined);
  }
}
