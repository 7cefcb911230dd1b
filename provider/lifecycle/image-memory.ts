import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { checksumText, parseChecksum } from "../source/checksum";
import type { Compression } from "../source/compression";
import type { InspectedFile } from "./inspect-file";

/** How many images are remembered. Beyond that, the least recently used are dropped. */
const MOST_ENTRIES = 2_000;

/** Change it when the definition of an image changes. */
const FORMAT = 1;

/**
 * What an earlier process found in a file with this fingerprint; undefined if the memory does not exist, cannot
 * be read, or does not know it.
 */
export async function recallImage(fingerprint: string): Promise<InspectedFile | undefined> {
  try {
    const file = join(memoryFolder(), nameOf(fingerprint));
    const remembered = parse(await readFile(file, "latin1"));
    if (!remembered) return undefined;
    const now = new Date();
    await utimes(file, now, now).catch(() => undefined);
    return remembered;
  } catch {
    return undefined;
  }
}

/**
 * Remembers an image for later processes, if possible. Uses one file per image, renamed once it is complete, so
 * that concurrent processes do not overwrite each other's.
 */
export async function rememberImage(fingerprint: string, image: InspectedFile): Promise<void> {
  try {
    const folder = memoryFolder();
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const part = join(folder, `${randomUUID()}.part`);
    try {
      await writeFile(part, textOf(image), { mode: 0o600, flag: "wx" });
      await rename(part, join(folder, nameOf(fingerprint)));
    } finally {
      await rm(part, { force: true });
    }
    await dropOldest(folder);
  } catch {
    // The file is read again next time.
  }
}

/** Size and sha256 of the image, then the checksums of file and image and the compression if they differ. */
function textOf({ sizeBytes, sha256, checksums, compression }: InspectedFile): string {
  if (!checksums) return `${sizeBytes} ${sha256}\n`;
  const { file, image } = checksums;
  return `${sizeBytes} ${sha256} ${checksumText(file)} ${checksumText(image)} ${compression ?? ""}\n`;
}

function parse(text: string): InspectedFile | undefined {
  const [, size, sha256, ofFile, ofImage, compression] =
    /^(\d+) ([0-9a-f]{64})(?: (sha\d+:[0-9a-f]+) (sha\d+:[0-9a-f]+) (\w*))?\n$/.exec(text) ?? [];
  if (!size || !sha256) return undefined;
  const [file, image] = [parseChecksum(ofFile ?? ""), parseChecksum(ofImage ?? "")];
  return {
    sizeBytes: Number(size),
    sha256,
    ...(file && image && { checksums: { file, image } }),
    ...(compression && { compression: compression as Compression }),
  };
}

/** Drops a tenth at once, so that a full memory is not searched for each image. */
async function dropOldest(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= MOST_ENTRIES) return;
  const entries = names.map(async (name) => {
    const file = join(folder, name);
    // Another process may have dropped it.
    return { file, usedMs: (await stat(file).catch(() => undefined))?.mtimeMs ?? 0 };
  });
  const oldestFirst = (await Promise.all(entries)).sort((one, other) => one.usedMs - other.usedMs);
  const dropped = oldestFirst.slice(0, names.length - MOST_ENTRIES * 0.9);
  await Promise.all(dropped.map(({ file }) => rm(file, { force: true })));
}

/** A path may be secret, and longer than a file name can be. */
function nameOf(fingerprint: string): string {
  return createHash("sha256").update(`${FORMAT}\0${fingerprint}`).digest("hex");
}

function memoryFolder(): string {
  return join(cacheFolder(process.platform, process.env, homedir()), "pulumi-xen-iso", "images");
}

/**
 * The user's cache folder.
 *
 * @see XDG Base Directory Specification: a path that is not absolute does not count
 */
export function cacheFolder(platform: NodeJS.Platform, env: NodeJS.ProcessEnv, home: string): string {
  if (platform === "win32") return env["LOCALAPPDATA"] || join(home, "AppData", "Local");
  if (platform === "darwin") return join(home, "Library", "Caches");
  const xdg = env["XDG_CACHE_HOME"] ?? "";
  return xdg.startsWith("/") ? xdg : join(home, ".cache");
}
