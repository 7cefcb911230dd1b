import type * as XzDecompress from "xz-decompress";
import type { PieceIterator, Pieces } from "./pieces";

/** The magic bytes of a stream. */
const HEADER = Buffer.from("fd377a585a00", "hex");

/** Bytes per call of the decoder. */
const INPUT_BYTES = 64 * 1024;

/**
 * Decompresses xz and verifies its checksums. The decoder stops at the end of a stream, so a new one reads what
 * follows.
 *
 * @throws what the decoder says, or that the input ends too early, or goes on with something else
 */
export async function* unxz(input: Pieces): AsyncGenerator<Uint8Array, void> {
  // Loaded when it is needed: it holds the decoder in WebAssembly.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { XzReadableStream } = require("xz-decompress") as typeof XzDecompress;
  const feed = new Feed(input);
  try {
    do {
      yield* new XzReadableStream(feed.stream()) as unknown as AsyncIterable<Uint8Array>;
    } while (await feed.hasFurtherStream());
  } catch (error) {
    throw explained(error);
  } finally {
    await feed.close();
  }
}

/** The decoder reports failures as numbers (xz-embedded: `enum xz_ret`). */
const FAULTS: Readonly<Record<string, string>> = {
  4: "it needs more memory than the decoder takes",
  5: "something else follows the compressed data",
  6: "it has an option or a kind of checksum that the decoder does not know",
  7: "its data is damaged",
  8: "the file ends too early",
};

function explained(error: unknown): unknown {
  const [, code = ""] = /error code (\d+)$/.exec(String(error)) ?? [];
  return FAULTS[code] === undefined ? error : new Error(FAULTS[code], { cause: error });
}

/** Yields the input in small pieces, and remembers the last one: a stream may end in the middle of it. */
class Feed {
  readonly #iterator: PieceIterator;
  #rest = Buffer.alloc(0);
  #last = Buffer.alloc(0);

  constructor(input: Pieces) {
    this.#iterator = input[Symbol.asyncIterator]() as PieceIterator;
  }

  /** The input of one decoder, which takes no more than it needs. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const piece = await this.#next();
          // The decoder reads on before it notices the end of a stream, and fails if there is more.
          if (piece.length === 0) return controller.close();
          this.#last = piece;
          return controller.enqueue(piece);
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Whether another stream follows the zeros that may stand in between. */
  async hasFurtherStream(): Promise<boolean> {
    const last = this.#last;
    // Compressed data looks like a header once in 2^48 positions.
    let left = Buffer.concat([last, await this.#next()]);
    const header = left.indexOf(HEADER, 1);
    if (header >= 0) {
      this.#rest = Buffer.concat([left.subarray(header), this.#rest]);
      return true;
    }
    left = left.subarray(last.length);
    while (left.length > 0) {
      if (left.some((byte) => byte !== 0)) throw new Error("something else follows the compressed data");
      left = await this.#next();
    }
    return false;
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  /** Empty at the end. */
  async #next(): Promise<Buffer<ArrayBuffer>> {
    if (this.#rest.length === 0) {
      const { done, value } = await this.#iterator.next();
      if (done) return Buffer.alloc(0);
      this.#rest = Buffer.from(value);
    }
    const next = this.#rest.subarray(0, INPUT_BYTES);
    this.#rest = this.#rest.subarray(INPUT_BYTES);
    return next;
  }
}
