import { buildIso, type BuildIsoOptions } from "../iso/build";
import type { IsoContents, IsoFile } from "../iso/check";
import { checksumText, Digests } from "../source/checksum";
import { SourceError } from "../source/error";
import { openFile, shownUrl } from "../source/http";
import { Semaphore } from "../ssh/semaphore";
import { sha256Of } from "../ssh/upload";
import { checksumProblem, urlProblem } from "./locations";
import { checksumFor, fileNameOf, identityIn, identityOf } from "./url-image";

/** A file of a disc that is downloaded when the disc is made. */
export interface UrlFile {
  readonly url: string;
  /** `sha256:<hex>`, `sha512:<hex>`, or the URL of a list. */
  readonly checksum?: string;
}

/** The files of a disc by their path on it, as the state has them. */
export type DiscFiles = Readonly<Record<string, IsoFile | UrlFile>>;

const MIB = 1024 ** 2;

/** These files are in memory while the disc is made: the image is read in parallel, and again after a lost connection. */
const LARGEST_MIB = 64;

/** How many requests for metadata run at once. */
const MOST_REQUESTS = 8;

export const isUrlFile = (file: unknown): file is UrlFile =>
  typeof file === "object" && file !== null && "url" in file;

/** Finds what is wrong with a file from a URL as it is written. */
export function urlFileProblem(file: object): string | undefined {
  const { url, checksum, ...others } = file as Readonly<Record<string, unknown>>;
  const [other] = Object.keys(others);
  if (other !== undefined) return `has url and ${other}; { url, checksum } takes nothing else`;
  if (typeof url !== "string") return "has a url that is not a string";
  const login = "give a URL that needs neither, such as a signed one, as a secret";
  const problem = urlProblem(url, { pathArgument: "{ path }", login });
  if (problem !== undefined) return `has a url that ${problem}`;
  if (checksum === undefined) return undefined;
  const ofChecksum = typeof checksum === "string" ? checksumProblem(checksum) : "must be a string";
  return ofChecksum && `has a checksum that ${ofChecksum}`;
}

/** The path of a file on the disc, and what identifies its content without reading it. */
export type Named = readonly [path: string, identity: string];

/**
 * Identifies the content of each file from a URL, by its checksum or by the server's metadata.
 *
 * @param fail called with the problem of a file
 */
export async function identitiesOf(
  files: DiscFiles,
  fail: (path: string, reason: string) => void,
): Promise<Named[]> {
  const semaphore = new Semaphore(MOST_REQUESTS);
  const named = urlFilesIn(files).map(([path, file]) =>
    semaphore.use(async (): Promise<Named[]> => {
      try {
        return [[path, await identityOf(asUrl(file))]];
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        fail(path, error.message);
        return [];
      }
    }),
  );
  return (await Promise.all(named)).flat();
}

/**
 * Identifies the content of a disc with files from URLs: the hash of an image that has their identities instead of
 * their content. It also changes with every other file, the label and the format.
 */
export async function identityOfDisc(
  files: DiscFiles,
  identities: readonly Named[],
  options: BuildIsoOptions,
): Promise<string> {
  const standIns = Object.fromEntries(
    // No text that a program gives begins with a NUL.
    identities.map(([path, identity]) => [path, `\0from a URL: ${identity}`]),
  );
  return `built from ${await sha256Of(buildIso({ ...(files as IsoContents), ...standIns }, options))}`;
}

/**
 * Downloads the files from URLs, one after another.
 *
 * @returns all files with their content, and the identities of those that were downloaded
 * @throws {@link SourceError}
 */
export async function downloadFiles(
  files: DiscFiles,
  signal: AbortSignal,
): Promise<{ contents: IsoContents; identities: Named[] }> {
  const contents: Record<string, IsoFile | Uint8Array> = { ...(files as IsoContents) };
  const identities: Named[] = [];
  let roomBytes = LARGEST_MIB * MIB;
  for (const [path, file] of urlFilesIn(files)) {
    const { bytes, identity } = await download(file, { roomBytes, signal });
    roomBytes -= bytes.length;
    contents[path] = bytes;
    identities.push([path, identity]);
  }
  return { contents, identities };
}

/** Downloads of this process that are still in use, by checksum. */
const downloaded = new Map<string, WeakRef<Buffer>>();

async function download(
  file: UrlFile,
  { roomBytes, signal }: { roomBytes: number; signal: AbortSignal },
): Promise<{ bytes: Buffer; identity: string }> {
  const { url, checksum } = file;
  const name = shownUrl(url);
  const wanted = checksum === undefined ? undefined : await checksumFor(checksum, fileNameOf(url));
  const known = wanted && downloaded.get(checksumText(wanted))?.deref();
  if (wanted && known && known.length <= roomBytes) return { bytes: known, identity: checksumText(wanted) };

  const { content, ...facts } = await openFile({ url }, { signal });
  const digests = new Digests(wanted?.algorithm);
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of content) {
    sizeBytes += piece.length;
    if (Math.max(sizeBytes, facts.sizeBytes ?? 0) > roomBytes) throw tooLarge(name);
    digests.add(piece);
    pieces.push(Buffer.from(piece));
  }
  const bytes = Buffer.concat(pieces);
  if (!wanted) return { bytes, identity: identityIn(facts, url) };

  const found = { ...wanted, hex: digests.end().hex[wanted.algorithm] ?? "" };
  if (found.hex !== wanted.hex) {
    const message = `${name} is not what its checksum says: it has ${checksumText(found)}, and checksum is ${checksumText(wanted)}. Check where the file comes from; if it is right, correct checksum.`;
    throw new SourceError("CHECKSUM_MISMATCH", message);
  }
  downloaded.set(checksumText(wanted), new WeakRef(bytes));
  return { bytes, identity: checksumText(wanted) };
}

function tooLarge(name: string): SourceError {
  const message = `${name} is too large: the files from URLs of one disc may have ${LARGEST_MIB} MiB together. Download it and give it as { path }.`;
  return new SourceError("WRONG_LENGTH", message);
}

function urlFilesIn(files: DiscFiles): [path: string, file: UrlFile][] {
  return Object.entries(files).filter((entry): entry is [string, UrlFile] => isUrlFile(entry[1]));
}

function asUrl({ url, checksum }: UrlFile) {
  return { isoUrl: url, ...(checksum !== undefined && { isoChecksum: checksum }) };
}
