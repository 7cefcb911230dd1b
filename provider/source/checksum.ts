import { createHash, type Hash } from "node:crypto";
import { SourceError } from "./error";

/** A hash function for checksums. */
export type Algorithm = "sha256" | "sha512";

/** The expected checksum of a file, or of the image in it. */
export interface Checksum {
  readonly algorithm: Algorithm;
  /** Lower-case hex. */
  readonly hex: string;
}

/** Hex digits of a checksum. */
const LENGTHS: Readonly<Record<Algorithm, number>> = { sha256: 64, sha512: 128 };

/** Reads `sha256:<64 hex digits>` or `sha512:<128 hex digits>`; undefined for anything else. */
export function parseChecksum(text: string): Checksum | undefined {
  const [, algorithm, hex = ""] = /^(sha256|sha512):([0-9a-f]+)$/i.exec(text) ?? [];
  if (algorithm === undefined) return undefined;
  return checksumOf(algorithm.toLowerCase() as Algorithm, hex);
}

/** As {@link parseChecksum} reads it. */
export function checksumText({ algorithm, hex }: Checksum): string {
  return `${algorithm}:${hex}`;
}

/** A line of a checksum list; some have no name. */
interface Line extends Checksum {
  readonly fileName?: string;
}

/**
 * Finds a file's checksum in a list as `sha256sum` (GNU) or `sha256 -r`, `shasum --tag`, `openssl dgst` (BSD) write it:
 * `SHA256SUMS`, `CHECKSUM`, `<file>.sha256`. Other lines, comments and signatures are skipped.
 *
 * @param fileName without folder; in the list it may stand with one
 * @param listName for messages
 * @throws {@link SourceError} `NO_CHECKSUM` when the file is not in it, or twice with other values
 */
export function findChecksum(list: string, fileName: string, listName: string): Checksum {
  const lines = list.split(/\r?\n/).flatMap((line) => parseLine(line) ?? []);
  const named = lines.filter((line) => line.fileName !== undefined && baseName(line.fileName) === fileName);
  const [only, another] = lines;
  // A list of one file may omit its name.
  const ofFile = named.length === 0 && only?.fileName === undefined && !another ? lines : named;
  const found = strongest(ofFile);
  if (found) return found;
  const why =
    lines.length === 0
      ? "it has no line with a checksum"
      : ofFile.length === 0
        ? `it has no line for ${fileName}`
        : `it has several checksums for ${fileName}`;
  const message = `${listName} cannot be used: ${why}. Give the checksum as sha256:<hex> instead, or the URL of the list that has the file.`;
  throw new SourceError("NO_CHECKSUM", message);
}

/** Prefers the longest algorithm; undefined if its lines disagree. */
function strongest(lines: readonly Line[]): Checksum | undefined {
  const sha512 = lines.filter(({ algorithm }) => algorithm === "sha512");
  const [first, ...others] = sha512.length > 0 ? sha512 : lines;
  if (!first || others.some(({ hex }) => hex !== first.hex)) return undefined;
  return { algorithm: first.algorithm, hex: first.hex };
}

function parseLine(line: string): Line | undefined {
  const bsd = /^(SHA256|SHA512|SHA2-256|SHA2-512) ?\((.+)\) ?= ?([0-9a-f]+)$/i.exec(line.trim());
  if (bsd) {
    const [, algorithm = "", fileName = "", hex = ""] = bsd;
    const checksum = checksumOf(algorithm.endsWith("256") ? "sha256" : "sha512", hex);
    return checksum && { ...checksum, fileName };
  }
  // A leading backslash means that the name is escaped.
  const gnu = /^\\?([0-9a-f]{64}|[0-9a-f]{128})(?: [ *](.+)|\s*)$/i.exec(line);
  if (!gnu) return undefined;
  const [, hex = "", fileName] = gnu;
  const checksum = checksumOf(hex.length === LENGTHS.sha256 ? "sha256" : "sha512", hex);
  return checksum && { ...checksum, ...(fileName !== undefined && { fileName: fileName.trimEnd() }) };
}

function checksumOf(algorithm: Algorithm, hex: string): Checksum | undefined {
  if (hex.length !== LENGTHS[algorithm]) return undefined;
  return { algorithm, hex: hex.toLowerCase() };
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Hashes bytes as they pass, with sha256 and perhaps another algorithm. */
export class Digests {
  readonly #hashes: ReadonlyMap<Algorithm, Hash>;
  #sizeBytes = 0;

  constructor(other?: Algorithm) {
    const algorithms = new Set<Algorithm>(["sha256", other ?? "sha256"]);
    this.#hashes = new Map([...algorithms].map((algorithm) => [algorithm, createHash(algorithm)]));
  }

  add(piece: Uint8Array): void {
    for (const hash of this.#hashes.values()) hash.update(piece);
    this.#sizeBytes += piece.length;
  }

  /** Call it once, at the end. */
  end(): Digested {
    const hex = [...this.#hashes].map(([algorithm, hash]) => [algorithm, hash.digest("hex")] as const);
    return { sizeBytes: this.#sizeBytes, hex: Object.fromEntries(hex) };
  }
}

/** The results of {@link Digests}. */
export interface Digested {
  readonly sizeBytes: number;
  /** By algorithm, lower-case hex. */
  readonly hex: Readonly<Partial<Record<Algorithm, string>>>;
}
