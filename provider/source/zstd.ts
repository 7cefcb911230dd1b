import { pipeline, Readable, type Transform } from "node:stream";
import * as zlib from "node:zlib";
import type * as Fzstd from "fzstd";
import type { Pieces } from "./pieces";

/** Built into Node from 22.15 on; unknown to the types of Node 20. */
const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform };

/** The largest window that `zstd` accepts by default: 128 MiB. */
const LARGEST_WINDOW_LOG = 27;

/** Bytes per call of the decoder: four of them can make a block of 128 KiB. */
const INPUT_BYTES = 1024;

/**
 * Decompresses Zstandard: with Node's own decoder where it has one, which also verifies checksums, else with fzstd.
 *
 * @throws what the decoder says, or that the input ends too early
 */
export function unzstd(input: Pieces): Pieces {
  return createZstdDecompress ? native(createZstdDecompress(), input) : portable(input);
}

async function* native(decoder: Transform, input: Pieces): AsyncGenerator<Uint8Array, void> {
  // The reader of the decoder gets the failure.
  pipeline(Readable.from(copiesOf(input), { objectMode: false }), decoder, () => undefined);
  yield* decoder as AsyncIterable<Uint8Array>;
}

async function* copiesOf(pieces: Pieces): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

async function* portable(input: Pieces): AsyncGenerator<Uint8Array, void> {
  // Loaded when it is needed: it makes its tables then.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Decompress } = require("fzstd") as typeof Fzstd;
  let output: Uint8Array[] = [];
  const decoder = new Decompress((piece) => output.push(piece));
  let isFirst = true;
  for await (const piece of input) {
    // The decoder keeps what it cannot use yet.
    const copy = Buffer.from(piece);
    if (isFirst) assertWindow(copy);
    isFirst = false;
    for (let start = 0; start < copy.length; start += INPUT_BYTES) {
      decoder.push(copy.subarray(start, start + INPUT_BYTES));
      yield* output;
      output = [];
    }
  }
  decoder.push(new Uint8Array(0), true);
  yield* output;
}

/**
 * The decoder allocates whatever size the frame asks for.
 *
 * @see RFC 8878 §3.1.1.1
 */
function assertWindow(head: Buffer): void {
  const descriptor = head[4] ?? 0;
  const hasWindow = head.readUInt32LE(0) === 0xfd2f_b528 && (descriptor & 0x20) === 0;
  if (hasWindow && 10 + ((head[5] ?? 0) >> 3) > LARGEST_WINDOW_LOG)
    throw new Error("it was compressed with a window of more than 128 MiB (--long)");
}
