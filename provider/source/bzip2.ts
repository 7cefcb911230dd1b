import bitIterator from "unbzip2-stream/lib/bit_iterator.js";
import bzip2 from "unbzip2-stream/lib/bzip2.js";
import type { Pieces } from "./pieces";

/** The largest compressed block, in addition to 100,000 bytes per unit of its size. */
const BLOCK_OVERHEAD_BYTES = 25_000;

const BLOCK_UNIT_BYTES = 100_000;

/** How much is collected before it is passed on. */
const OUTPUT_BYTES = 256 * 1024;

/**
 * Decompresses bzip2 and verifies its checksums, a block at a time.
 *
 * The stream of `unbzip2-stream` itself collects each byte of a block in a list: a block of zeros, which an image has
 * many of, then takes 400 MB. So this drives the library's block decoder.
 *
 * @throws what the decoder says, or that the input ends too early
 */
export async function* bunzip2(input: Pieces): AsyncGenerator<Uint8Array, void> {
  const waiting: Uint8Array[] = [];
  let receivedBytes = 0;
  let bits: ReturnType<typeof bitIterator> | undefined;
  const output = new Output();
  const blocks = new Blocks();
  const bufferedBytes = () => receivedBytes - (bits?.bytesRead ?? 0);

  for await (const piece of input) {
    // The decoder's position in a piece.
    waiting.push(Buffer.from(piece));
    receivedBytes += piece.length;
    bits ??= bitIterator(() => waiting.shift() ?? endsTooEarly());
    while (bufferedBytes() > blocks.neededBytes) {
      blocks.decode(bits, output);
      yield* output.take();
    }
  }
  while (bits && bufferedBytes() > 0) {
    blocks.decode(bits, output);
    yield* output.take();
  }
  if (!blocks.isAtEnd) endsTooEarly();
}

function endsTooEarly(): never {
  throw new Error("the file ends too early");
}

/** Each call decodes a header, a block or an end. */
class Blocks {
  /** In units of 100,000 bytes; 0 before a header. */
  #blockUnits = 0;
  #buffer = new Int32Array(0);
  #streamCrc = 0;

  get neededBytes(): number {
    return BLOCK_OVERHEAD_BYTES + BLOCK_UNIT_BYTES * this.#blockUnits;
  }

  get isAtEnd(): boolean {
    return this.#blockUnits === 0;
  }

  decode(bits: ReturnType<typeof bitIterator>, output: Output): void {
    if (this.#blockUnits === 0) {
      this.#blockUnits = bzip2.header(bits);
      this.#streamCrc = 0;
      const bufferLength = this.#blockUnits * BLOCK_UNIT_BYTES;
      if (this.#buffer.length !== bufferLength) this.#buffer = new Int32Array(bufferLength);
      return;
    }
    const streamCrc = bzip2.decompress(bits, output.add, this.#buffer, this.#buffer.length, this.#streamCrc);
    if (streamCrc === null) this.#blockUnits = 0;
    else this.#streamCrc = streamCrc;
  }
}

/** Collects single bytes into pieces. */
class Output {
  #pieces: Uint8Array[] = [];
  #last = Buffer.allocUnsafe(OUTPUT_BYTES);
  #lastBytes = 0;

  readonly add = (byte: number): void => {
    if (this.#lastBytes === OUTPUT_BYTES) {
      this.#pieces.push(this.#last);
      this.#last = Buffer.allocUnsafe(OUTPUT_BYTES);
      this.#lastBytes = 0;
    }
    this.#last[this.#lastBytes++] = byte;
  };

  *take(): Generator<Uint8Array> {
    const pieces = this.#pieces;
    this.#pieces = [];
    yield* pieces;
    if (this.#lastBytes === 0) return;
    // Refilled only after the piece was used.
    yield this.#last.subarray(0, this.#lastBytes);
    this.#lastBytes = 0;
  }
}
