import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { bunzip2 } from "./bzip2";
import { SourceError } from "./error";
import type { Pieces } from "./pieces";
import { unxz } from "./xz";
import { unzstd } from "./zstd";

/** How a file is compressed. */
export type Compression = "gzip" | "xz" | "zstd" | "bzip2";

/** How many bytes {@link compressionOf} looks at. */
export const MAGIC_BYTES = 10;

/**
 * The first bytes of compressed files, in hex. An image begins with 32 KiB of its own, which never look like
 * these.
 */
const MAGIC: readonly [Compression, RegExp][] = [
  ["gzip", /^1f8b08/],
  ["xz", /^fd377a585a00/],
  // A frame, or a skippable frame.
  ["zstd", /^(28b52ffd|5.2a4d18)/],
  // "BZh", the block size, and the mark of the first block.
  ["bzip2", /^425a683[1-9](314159265359|177245385090)/],
];

/**
 * How a file is compressed, by its first bytes and never by its name.
 *
 * @param head the first {@link MAGIC_BYTES} bytes, or all where there are fewer
 */
export function compressionOf(head: Uint8Array): Compression | undefined {
  const hex = Buffer.from(head.subarray(0, MAGIC_BYTES)).toString("hex");
  return MAGIC.find(([, magic]) => magic.test(hex))?.[0];
}

/**
 * Decompresses while it is read, with memory independent of the size. Several archives one after another in the
 * same file, as parallel compressors write them, yield their contents one after another.
 *
 * @param name of the file, for messages
 * @throws {@link SourceError} `ARCHIVE_DAMAGED`, and what reading `compressed` throws
 */
export async function* decompress(
  compression: Compression,
  compressed: Pieces,
  name: string,
): AsyncGenerator<Uint8Array, void> {
  // An error of the input is not an error of the archive.
  let inputError: Error | undefined;
  const input = (async function* () {
    try {
      yield* compressed;
    } catch (error) {
      inputError = error as Error;
      throw error;
    }
  })();
  try {
    yield* DECODERS[compression](input);
  } catch (error) {
    if (inputError) throw inputError;
    const why = error instanceof Error ? error.message : String(error);
    const message = `${name} cannot be decompressed (${compression}): ${why}. It is damaged or cut off: download it again, or set isoChecksum.`;
    throw new SourceError("ARCHIVE_DAMAGED", message, { cause: error });
  }
}

const DECODERS: Record<Compression, (input: Pieces) => Pieces> = {
  gzip: gunzip,
  xz: unxz,
  zstd: unzstd,
  bzip2: bunzip2,
};

async function* gunzip(input: Pieces): AsyncGenerator<Uint8Array, void> {
  const decoder = createGunzip();
  // The reader of the decoder gets the failure.
  pipeline(Readable.from(copiesOf(input), { objectMode: false }), decoder, () => undefined);
  yield* decoder as AsyncIterable<Uint8Array>;
}

/** A stream reads ahead while a piece is still in use. */
async function* copiesOf(pieces: Pieces): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}
