import { open, stat } from "node:fs/promises";
import { buildIso, type ImageFormat } from "../iso/build";
import { checkIsoFiles, decodeBase64, type IsoContents, IsoBuildError } from "../iso/check";
import { sha256Of } from "../ssh/upload";
import type { Arguments } from "./arguments";
import { localPathProblem } from "./locations";
import type { Problems } from "./problems";
import { isUnknown, UNKNOWN } from "./unknown";
import { type DiscFiles, identitiesOf, identityOfDisc, isUrlFile, urlFileProblem } from "./url-files";

const MIB = 1024 ** 2;

/** 5 MB need 10 MB of state and half a GB of memory, 50 MB take half a minute, and 300 MB crash Node. */
const LARGEST_INLINE_BYTES = 16 * MIB;
const LARGE_INLINE_BYTES = MIB;

/** Of these, `user-data` and `meta-data` are required. */
const SEED_FILES = ["user-data", "meta-data", "vendor-data", "network-config"];

/** cloud-init decides by the first bytes of these what to do with them. */
const INSTRUCTIONS = ["user-data", "vendor-data"];

/** Adds the problems of `files` as they are written; opens no local file. */
export function checkFiles(files: unknown, _args: Arguments, problems: Problems): string | undefined {
  if (typeof files !== "object" || files === null || Array.isArray(files))
    return "must be a folder as a FileArchive, or an object: path on the disc to text, { base64 }, { path } or { url, checksum }";
  if (Object.keys(files).length === 0 && !problems.concern("files"))
    return "hold nothing; give at least one file, in a plain object and not in a Map";
  // Unknown values are checked at the up.
  const known = Object.entries(files).map(([path, file]: [string, unknown]) => {
    const isLeft = hasUnknown(file) || isUrlFile(file);
    const problem = hasUnknown(file) ? undefined : locationProblem(file);
    if (problem !== undefined) problems.add(argumentOf(path), problem);
    return [path, isLeft ? "" : file] as const;
  });
  for (const { path, reason } of checkIsoFiles(Object.fromEntries(known)))
    problems.add(argumentOf(path), reason);
  const inlineBytes = inlineBytesOf(files);
  return inlineBytes > LARGEST_INLINE_BYTES
    ? `hold ${inMib(inlineBytes)} MiB of text and base64; the limit is 16 MiB, because the state holds them twice; give large ones as { path }`
    : undefined;
}

/** What is wrong with where a file comes from; it is not opened. */
function locationProblem(file: unknown): string | undefined {
  if (isUrlFile(file)) return urlFileProblem(file);
  const isLocal = typeof file === "object" && file !== null && "path" in file;
  const problem =
    isLocal && typeof file.path === "string" ? localPathProblem(file.path, "{ url }") : undefined;
  return problem && `has a path that ${problem}`;
}

/** Identifies the content of an image: by its sha256, or by an identity if it has files from URLs. */
export type NamedContent = { readonly isoSha256: string } | { readonly isoIdentity: string };

/**
 * Identifies the content of the image of checked `files`; {@link UNKNOWN} if a part of them is. Reads their local files,
 * and asks the servers of those from URLs.
 *
 * @returns undefined when there is a problem
 */
export async function nameFiles(
  files: unknown,
  { volumeLabel, imageFormat }: { volumeLabel: unknown; imageFormat: ImageFormat },
  problems: Problems,
): Promise<NamedContent | undefined> {
  const hasUrls = typeof files === "object" && files !== null && Object.values(files).some(isUrlFile);
  if (hasUnknown(files) || isUnknown(volumeLabel))
    return hasUrls ? { isoIdentity: UNKNOWN } : { isoSha256: UNKNOWN };
  const options = { volumeLabel: volumeLabel as string | undefined, imageFormat };
  try {
    if (!hasUrls) return { isoSha256: await sha256Of(buildIso(files as IsoContents, options)) };
    const before = problems.failures.length;
    const identities = await identitiesOf(files as DiscFiles, (path, reason) =>
      problems.add(argumentOf(path), reason),
    );
    if (problems.failures.length > before) return undefined;
    return { isoIdentity: await identityOfDisc(files as DiscFiles, identities, options) };
  } catch (error) {
    if (!(error instanceof IsoBuildError)) throw error;
    for (const { path, reason } of error.problems) problems.add(argumentOf(path), reason);
    return undefined;
  }
}

/**
 * Adds warnings about `files` and `volumeLabel` that are valid, but probably a mistake. Reads the beginnings of
 * local files.
 */
export async function warningsOf(files: unknown, volumeLabel: unknown): Promise<string[]> {
  if (typeof files !== "object" || files === null) return [];
  const inlineBytes = inlineBytesOf(files);
  const isLarge = inlineBytes >= LARGE_INLINE_BYTES;
  return [
    ...(isLarge
      ? [
          `files: hold ${inMib(inlineBytes)} MiB of text and base64, which the state holds twice; give large ones as { path }.`,
        ]
      : []),
    ...seedWarnings(Object.keys(files), volumeLabel),
    ...(await instructionWarnings(files as Readonly<Record<string, unknown>>)),
    ...nameWarnings(Object.keys(files)),
    ...(typeof volumeLabel === "string" && !isUnknown(volumeLabel) && volumeLabel.length > 16
      ? [`volumeLabel: Joliet, which Windows reads, has room for "${volumeLabel.slice(0, 16)}" only.`]
      : []),
  ];
}

/**
 * cloud-init accepts a disc as a seed only if it has both required files.
 *
 * @see canonical/cloud-init: cloudinit/sources/DataSourceNoCloud.py, `required`
 */
function seedWarnings(paths: readonly string[], volumeLabel: unknown = "cidata"): string[] {
  const isSeed = SEED_FILES.some((path) => paths.includes(path));
  if (!isSeed || String(volumeLabel).toLowerCase() !== "cidata") return [];
  return ["user-data", "meta-data"]
    .filter((path) => !paths.includes(path))
    .map((path) => `files: ${path} is missing; cloud-init ignores a disc without it. It may be empty.`);
}

async function instructionWarnings(files: Readonly<Record<string, unknown>>): Promise<string[]> {
  const checked = INSTRUCTIONS.filter((path) => Object.hasOwn(files, path)).map(async (path) => ({
    path,
    beginning: await beginningOf(files[path]),
  }));
  return (await Promise.all(checked))
    .filter(({ beginning }) => beginning !== undefined && !isInstruction(beginning))
    .map(
      ({ path }) =>
        `${argumentOf(path)}: begins with none of #cloud-config, #!, #include, ## template: jinja and the like; cloud-init would ignore it.`,
    );
}

/** Windows and Linux read such names; libcdio, by Joliet, does not list a folder that has one. */
function nameWarnings(paths: readonly string[]): string[] {
  return paths
    .filter((path) => /[\u{10000}-\u{10ffff}]/u.test(path))
    .map(
      (path) => `${argumentOf(path)}: has a character beyond U+FFFF; some readers do not list its folder.`,
    );
}

/** As many bytes as cloud-init looks at; undefined if they are unknown or unreadable. */
async function beginningOf(file: unknown): Promise<Buffer | undefined> {
  if (hasUnknown(file)) return undefined;
  if (typeof file === "string") return Buffer.from(file);
  const { base64, path } = file as { base64?: string; path?: string };
  if (base64 !== undefined) return decodeBase64(base64);
  if (path === undefined) return undefined;
  // Opening a named pipe would wait for a writer.
  const isFile = await stat(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
  const handle = isFile ? await open(path).catch(() => undefined) : undefined;
  try {
    const { buffer, bytesRead } = (await handle?.read(Buffer.alloc(LOOKED_AT_BYTES))) ?? {};
    return buffer?.subarray(0, bytesRead);
  } finally {
    await handle?.close();
  }
}

function argumentOf(path: string): string {
  return `files[${JSON.stringify(path)}]`;
}

function hasUnknown(value: unknown): boolean {
  return typeof value === "object" && value !== null
    ? Object.values(value).some(hasUnknown)
    : isUnknown(value);
}

function inlineBytesOf(files: object): number {
  const sizes = Object.values(files).map((file: unknown) => {
    const inline = typeof file === "object" && file !== null && "base64" in file ? file.base64 : file;
    return typeof inline === "string" ? Buffer.byteLength(inline) : 0;
  });
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

function inMib(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}

const LOOKED_AT_BYTES = 4096;

/**
 * Whether cloud-init recognises a file: by its first line, as a MIME message, or as gzip. An empty one is fine
 * too.
 *
 * @see canonical/cloud-init: cloudinit/handlers/__init__.py, `INCLUSION_TYPES_MAP`; cloudinit/user_data.py, `convert_string`
 */
function isInstruction(file: Buffer): boolean {
  if (file[0] === 0x1f && file[1] === 0x8b) return true;
  // Unlike trimStart(), cloud-init does not skip a byte order mark.
  const beginning = file
    .toString("utf8", 0, LOOKED_AT_BYTES)
    .replace(/^[^\S\uFEFF]+/, "")
    .toLowerCase();
  return (
    beginning === "" ||
    /^(#!|#include|#cloud-config|#cloud-boothook|#part-handler|#upstart-job|## template: jinja)/.test(
      beginning,
    ) ||
    beginning.includes("mime-version:")
  );
}
