import { type Checksum, checksumText, type Digested, Digests } from "./checksum";
import { compressionOf, type Compression, decompress, MAGIC_BYTES } from "./compression";
import { SourceError } from "./error";
import { peek, type Pieces } from "./pieces";

/** What was found in a file once it was read. */
export interface ReadImage {
  /** Of the image, in bytes. */
  readonly sizeBytes: number;
  /** Of the image, lower-case hex. */
  readonly sha256: string;
  /** How the file is compressed, if it is. */
  readonly compression?: Compression;
}

/** How a file becomes an image. */
export interface ImageOptions {
  /** Of the file, for messages. */
  readonly name: string;
  /** Of the file as it is, or of the image in it: either counts. */
  readonly checksum?: Checksum | undefined;
  /** Whether the first sectors of an image are right; undefined if they are, else why not. */
  readonly problemOf: (head: Uint8Array) => string | undefined;
  /** Called at the end, once all is verified. */
  readonly onRead: (image: ReadImage) => void;
}

/** The descriptors of ISO 9660 and UDF lie in the first 32 sectors. */
const HEAD_BYTES = 32 * 2048;

/**
 * The bytes of the image in a file: decompressed if it is compressed, hashed on their way. The last piece comes before
 * the checksum is compared, so whoever takes the bytes has to wait for the end.
 *
 * @throws {@link SourceError} `NOT_AN_IMAGE` before the first piece; `ARCHIVE_DAMAGED`, `CHECKSUM_MISMATCH`; what reading
 * the file throws
 */
export async function* imageIn(file: Pieces, options: ImageOptions): AsyncGenerator<Uint8Array, void> {
  const { name, checksum, problemOf, onRead } = options;
  const { head: magic, all } = await peek(file, MAGIC_BYTES);
  const compression = compressionOf(magic);
  const ofFile = new Digests(checksum?.algorithm);
  const ofImage = compression ? new Digests(checksum?.algorithm) : ofFile;

  const content = compression ? decompress(compression, digested(all, ofFile), name) : all;
  const { head, all: image } = await peek(content, HEAD_BYTES);
  const problem = problemOf(head);
  if (problem !== undefined) throw notAnImage(name, problem, head, compression);
  yield* digested(image, ofImage);

  const found = ofImage.end();
  const foundFile = compression ? ofFile.end() : found;
  if (checksum) assertChecksum(checksum, { name, image: found, file: foundFile, compression });
  onRead({
    sizeBytes: found.sizeBytes,
    sha256: found.hex.sha256 ?? "",
    ...(compression && { compression }),
  });
}

async function* digested(pieces: Pieces, digests: Digests): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    digests.add(piece);
    yield piece;
  }
}

function notAnImage(
  name: string,
  problem: string,
  head: Buffer,
  compression: Compression | undefined,
): SourceError {
  const inIt = compression ? `What is compressed in ${name}` : name;
  const isPage = /^\s*<(!doctype|html|head|\?xml)/i.test(head.toString("latin1", 0, 256));
  const hint = isPage
    ? "It is a web page: open the URL in a browser to see what it says, such as a login or an error."
    : "Give an ISO image, as it is or compressed with gzip, xz, zstd or bzip2.";
  return new SourceError("NOT_AN_IMAGE", `${inIt} cannot be used: ${problem}. ${hint}`);
}

function assertChecksum(
  checksum: Checksum,
  found: { name: string; image: Digested; file: Digested; compression: Compression | undefined },
): void {
  const { algorithm, hex } = checksum;
  const { name, image, file, compression } = found;
  if (image.hex[algorithm] === hex || file.hex[algorithm] === hex) return;
  const textOf = ({ hex: all }: Digested) => checksumText({ algorithm, hex: all[algorithm] ?? "" });
  const has = compression
    ? `the file has ${textOf(file)}, the image in it (${compression}) ${textOf(image)}`
    : `it has ${textOf(file)}`;
  const message = `${name} is not what isoChecksum says: ${has}, and isoChecksum is ${checksumText(checksum)}. Check where the file comes from; if it is right, correct isoChecksum.`;
  throw new SourceError("CHECKSUM_MISMATCH", message);
}
