/** The content of one file of an image: text (stored as UTF-8), bytes in base64, or a local file. */
export type IsoFile = string | { readonly base64: string } | { readonly path: string };

/** The files of an image by their path on the disc, which is relative and has `/` between its parts. */
export type IsoFiles = Readonly<Record<string, IsoFile>>;

/** As {@link IsoFiles}, where a program has the bytes of a file in memory. */
export type IsoContents = Readonly<Record<string, IsoFile | Uint8Array>>;

/** Why a file cannot be on a disc. */
export interface IsoProblem {
  /** The path on the disc; empty when it is the volume's label. */
  readonly path: string;
  /** One sentence; never a part of the content. */
  readonly reason: string;
}

/** Invalid as given; a local file cannot be read; a local file changed while it was read. */
export type IsoBuildErrorCode = "ISO_FILES_REFUSED" | "ISO_FILE_UNREADABLE" | "ISO_FILE_CHANGED";

/** The image cannot be built from these files. */
export class IsoBuildError extends Error {
  override readonly name = "IsoBuildError";

  constructor(
    readonly code: IsoBuildErrorCode,
    readonly problems: readonly IsoProblem[],
    options?: { readonly cause?: unknown },
  ) {
    // Quoted, so that a control character in a path cannot disturb a terminal.
    const reasons = problems.map(({ path, reason }) => (path ? `${JSON.stringify(path)} ${reason}` : reason));
    super(`The image cannot be built: ${reasons.join("; ")}.`, options);
  }
}

/**
 * ECMA-119 §6.8.2.1 allows 8 levels of folders including the root: a path has at most that many parts, the
 * file's name included.
 */
const DEEPEST_PATH = 8;

/** In UCS-2 units: 128 bytes (Joliet specification, relaxation of ISO 9660 restrictions). */
const LONGEST_NAME = 64;

/** The volume identifier of the primary descriptor (ECMA-119 §8.4.7). */
const LONGEST_LABEL = 32;

/**
 * Finds what is wrong with `files`, at most one problem per file. Opens no local file; {@link buildIso} does.
 *
 * @param files as a program gave them, with values of any type; pass "" for a value that is not known yet
 */
export function checkIsoFiles(files: Readonly<Record<string, unknown>>): IsoProblem[] {
  const seen = new Map<string, string>();
  return pathsOf(files).flatMap((path) => {
    const reason = pathProblem(path) ?? clashProblem(path, files, seen) ?? contentProblem(files[path]);
    return reason === undefined ? [] : [{ path, reason }];
  });
}

/**
 * Finds what is wrong with a volume label. ECMA-119 allows only upper-case letters, digits and `_`, but
 * cloud-init looks for `cidata`, and every reader takes printable ASCII. Refuses characters that Joliet forbids
 * in a name, and spaces at either end, which look like padding.
 */
export function volumeLabelProblem(label: unknown): string | undefined {
  if (typeof label !== "string" || label === "") return "the volume's label must be a non-empty string";
  if (label.length > LONGEST_LABEL) return `the volume's label is longer than ${LONGEST_LABEL} characters`;
  if (!/^[ -~]+$/.test(label) || FORBIDDEN.test(label) || label.includes("/"))
    return "the volume's label has a character other than printable ASCII without * / : ; ? \\";
  if (label.trim() !== label) return "the volume's label begins or ends with a space";
  return undefined;
}

/** Sorts by UTF-16 units: the same order on every machine, whatever its locale. */
export function pathsOf(files: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(files).sort();
}

/** In addition to `/` (Joliet specification, allowed character set). */
const FORBIDDEN = /[*:;?\\]/;

function pathProblem(path: string): string | undefined {
  if (path.startsWith("/")) return "is absolute: a path on the disc is relative";
  const parts = path.split("/");
  if (parts.length > DEEPEST_PATH)
    return `is ${parts.length} levels deep: ISO 9660 has ${DEEPEST_PATH}, with the file's own`;
  return parts.map(nameProblem).find((problem) => problem !== undefined);
}

function nameProblem(name: string): string | undefined {
  if (name === "") return "has an empty part";
  if (name === "." || name === "..") return `has a part "${name}"`;
  if (/\p{Cc}/u.test(name)) return "has a control character";
  if (/\p{Cs}/u.test(name)) return "is not well-formed Unicode";
  if (FORBIDDEN.test(name)) return "has one of * : ; ? \\, which Joliet forbids";
  if (name.length > LONGEST_NAME)
    return `has a part of ${name.length} UTF-16 units: Joliet has room for ${LONGEST_NAME}`;
  return undefined;
}

/** @param seen all paths and folders so far, by their name as a reader that ignores case sees it */
function clashProblem(
  path: string,
  files: Readonly<Record<string, unknown>>,
  seen: Map<string, string>,
): string | undefined {
  const parts = path.split("/");
  for (const end of parts.keys()) {
    const folder = parts.slice(0, end + 1).join("/");
    if (folder !== path && Object.hasOwn(files, folder))
      return `needs ${JSON.stringify(folder)} to be a folder, and it is a file`;
    const other = seen.get(foldCase(folder)) ?? folder;
    if (other !== folder)
      return `differs only in case from ${JSON.stringify(other)}, which Windows cannot tell apart`;
    seen.set(foldCase(folder), folder);
  }
  return undefined;
}

/** Like Windows: unit by unit, so that `ß` and `ss` remain two names. */
function foldCase(path: string): string {
  return Array.from(path, (letter) => {
    const upper = letter.toUpperCase();
    return upper.length === letter.length ? upper : letter;
  }).join("");
}

function contentProblem(file: unknown): string | undefined {
  if (typeof file === "string" || file instanceof Uint8Array) return undefined;
  if (typeof file !== "object" || file === null || Object.keys(file).length !== 1)
    return "must be text, { base64 } or { path }";
  if ("path" in file && typeof file.path === "string" && file.path !== "") return undefined;
  if (!("base64" in file) || typeof file.base64 !== "string") return "must be text, { base64 } or { path }";
  // Node skips invalid characters, so the input is valid only if encoding the result gives it back.
  if (decodeBase64(file.base64).toString("base64") !== withoutLineBreaks(file.base64))
    return "is not valid base64 (RFC 4648 §4, with padding)";
  return undefined;
}

/** The `base64` command writes line breaks. */
const withoutLineBreaks = (text: string) => text.replace(/[\r\n]+/g, "");

export const decodeBase64 = (text: string): Buffer => Buffer.from(withoutLineBreaks(text), "base64");
