import { type Algorithm, type Checksum, checksumText, type Digested, Digests } from "./checksum";
import { compressionOf, type Compression, decompress, MAGIC_BYTES } from "./compression";
import { SourceError } from "./error";
import { peek, type Pieces } from "./pieces";

/** What was found while a file was read. */
export interface ReadImage {
  /** Size of the image, in bytes. */
  readonly sizeBytes: number;
  /** SHA-256 of the image, lower-case hex. */
  readonly sha256: string;
  /** How the file is compressed, if it is. */
  readonly compression?: Compression;
  /** Digests of the file as it is, and of the image in it. */
  readonly checksums: Checksums;
}

/** The digests that a checksum is compared with. */
export interface Checksums {
  readonly file: Checksum;
  readonly image: Checksum;
}

/** How a file becomes an image. */
export interface ImageOptions {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Of the file as it is, or of the image in it: either counts. */
  readonly checksum?: Checksum | undefined;
  /** Algorithms to compute. Default: that of `checksum`, else sha256. */
  readonly algorithm?: Algorithm | undefined;
  /** How many first bytes {@link problemOf} needs. */
  readonly headBytes: number;
  /** Finds what is wrong with the beginning of an image; undefined if nothing is. */
  readonly problemOf: (head: Uint8Array) => string | undefined;
  /** Called at the end, when everything is verified. */
  readonly onRead: (image: ReadImage) => void;
}

/**
 * The bytes of the image in a file: decompressed if needed, and hashed as they pass. The last piece comes
 * before the checksum is compared, so the image is valid only once the iteration has ended.
 *
 * @throws {@link SourceError} `NOT_AN_IMAGE` before the first piece; `ARCHIVE_DAMAGED`, `CHECKSUM_MISMATCH`; what reading
 * the file throws
 */
export async function* imageIn(file: Pieces, options: ImageOptions): AsyncGenerator<Uint8Array, void> {
  const { name, checksum, headBytes, problemOf, onRead } = options;
  const { algorithm = checksum?.algorithm ?? "sha256" } = options;
  const { head: magic, all } = await peek(file, MAGIC_BYTES);
  const compression = compressionOf(magic);
  const ofFile = new Digests(algorithm);
  const ofImage = compression ? new Digests(algorithm) : ofFile;

  const content = compression ? decompress(compression, digested(all, ofFile), name) : all;
  const { head, all: image } = await peek(content, headBytes);
  const problem = problemOf(head);
  if (problem !== undefined)
    throw notAnImage(compression ? `What is compressed in ${name}` : name, problem, head);
  yield* digested(image, ofImage);

  const found = ofImage.end();
  const checksumIn = ({ hex }: Digested): Checksum => ({ algorithm, hex: hex[algorithm] ?? "" });
  const checksums = { image: checksumIn(found), file: checksumIn(compression ? ofFile.end() : found) };
  if (checksum) assertChecksum(checksum, checksums, name);
  const { sizeBytes, hex } = found;
  onRead({ sizeBytes, sha256: hex.sha256 ?? "", checksums, ...(compression && { compression }) });
}

async function* digested(pieces: Pieces, digests: Digests): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    digests.add(piece);
    yield piece;
  }
}

/**
 * The error for a file that is not an image.
 *
 * @param head the first bytes, if they are known: a web page is called one
 */
export function notAnImage(name: string, problem: string, head: Uint8Array = new Uint8Array()): SourceError {
  const isPage = /^\s*<(!doctype|html|head|\?xml)/i.test(Buffer.from(head).toString("latin1", 0, 256));
  const hint = isPage
    ? "It is a web page: open the URL in a browser to see what it says, such as a login or an error."
    : "Give an ISO image, as it is or compressed with gzip, xz, zstd or bzip2.";
  return new SourceError("NOT_AN_IMAGE", `${name} cannot be used: ${problem}. ${hint}`);
}

/**
 * Compares the digests found with the expected one.
 *
 * @param name of the file, for messages
 * @throws {@link SourceError} `CHECKSUM_MISMATCH`
 */
export function assertChecksum(wanted: Checksum, { file, image }: Checksums, name: string): void {
  if (image.hex === wanted.hex || file.hex === wanted.hex) return;
  const has =
    image.hex === file.hex
      ? `it has ${checksumText(file)}`
      : `the file has ${checksumText(file)}, the image in it ${checksumText(image)}`;
  const message = `${name} is not what isoChecksum says: ${has}, and isoChecksum is ${checksumText(wanted)}. Check where the file comes from; if it is right, correct isoChecksum.`;
  throw new SourceError("CHECKSUM_MISMATCH", message);
}
