import { buildIso, type ImageFormat } from "../iso/build";
import { checkIsoFiles, IsoBuildError, type IsoFiles } from "../iso/check";
import { sha256Of } from "../ssh/upload";
import type { Arguments } from "./arguments";
import type { Problems } from "./problems";
import { isUnknown, UNKNOWN } from "./unknown";

const MIB = 1024 ** 2;

/** 5 MB make 10 MB of state and half a GB of memory, 50 MB take half a minute, 300 MB end Node. */
const LARGEST_INLINE_BYTES = 16 * MIB;
const LARGE_INLINE_BYTES = MIB;

/** What cloud-init looks at for what to do with the rest. */
const INSTRUCTIONS = ["user-data", "vendor-data"];

/** Adds what is wrong with `files` as they are written; opens no local file. */
export function checkFiles(files: unknown, _args: Arguments, problems: Problems): string | undefined {
  if (typeof files !== "object" || files === null || Array.isArray(files))
    return "must be an object: path on the disc to text, { base64 } or { path }";
  // Values that are not known yet are checked at the up.
  const known = Object.entries(files).map(([path, file]) => [path, hasUnknown(file) ? "" : file] as const);
  for (const { path, reason } of checkIsoFiles(Object.fromEntries(known)))
    problems.add(argumentOf(path), reason);
  const inlineBytes = inlineBytesOf(files);
  return inlineBytes > LARGEST_INLINE_BYTES
    ? `hold ${inMib(inlineBytes)} MiB of text and base64; the limit is 16 MiB, because the state holds them twice; give large ones as { path }`
    : undefined;
}

/**
 * The sha256 of the image of checked `files`, {@link UNKNOWN} when something of them is; reads their local files.
 *
 * @returns undefined when there is a problem
 */
export async function sha256OfFiles(
  files: unknown,
  { volumeLabel, imageFormat }: { volumeLabel: unknown; imageFormat: ImageFormat },
  problems: Problems,
): Promise<string | undefined> {
  if (hasUnknown(files) || isUnknown(volumeLabel)) return UNKNOWN;
  try {
    const label = volumeLabel as string | undefined;
    return await sha256Of(buildIso(files as IsoFiles, { volumeLabel: label, imageFormat }));
  } catch (error) {
    if (!(error instanceof IsoBuildError)) throw error;
    for (const { path, reason } of error.problems) problems.add(argumentOf(path), reason);
    return undefined;
  }
}

/** What is allowed in `files`, and hardly meant. */
export function warningsOf(files: unknown): string[] {
  if (typeof files !== "object" || files === null) return [];
  const warnings: string[] = [];
  const inlineBytes = inlineBytesOf(files);
  if (inlineBytes >= LARGE_INLINE_BYTES)
    warnings.push(
      `files: hold ${inMib(inlineBytes)} MiB of text and base64, which lie twice in the state; give large ones as { path }.`,
    );
  for (const path of INSTRUCTIONS) {
    const file: unknown = (files as Record<string, unknown>)[path];
    if (typeof file === "string" && !isUnknown(file) && !isInstruction(file))
      warnings.push(
        `${argumentOf(path)}: begins with none of #cloud-config, #!, #include, ## template: jinja and the like; cloud-init would ignore it.`,
      );
  }
  return warnings;
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

/**
 * Whether cloud-init knows what to do with a text: by its beginning, or because it is a MIME message. None at all
 * is fine too.
 *
 * @see canonical/cloud-init: cloudinit/handlers/__init__.py, `INCLUSION_TYPES_MAP`; cloudinit/user_data.py, `convert_string`
 */
function isInstruction(text: string): boolean {
  // Unlike trimStart(), cloud-init does not skip a byte order mark.
  const beginning = text
    .slice(0, 4096)
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
