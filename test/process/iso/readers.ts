/** Programs that read an ISO image and were written by others; each tells a file's path and its sha256. */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, constants, mkdtempSync } from "node:fs";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { promisify } from "node:util";

export type Contents = Record<string, string>;

const TOOLS = {
  xorriso: "xorriso",
  isoinfo: "genisoimage",
  isovfy: "genisoimage",
  bsdtar: "libarchive-tools",
  blkid: "util-linux",
  "iso-info": "libcdio-utils",
  "cloud-init": "cloud-init",
  "qemu-system-x86_64": "qemu-system-x86",
} as const;

export type Tool = keyof typeof TOOLS;

/** `blkid` lies where an ordinary user's PATH does not lead. */
const PATH = [process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(delimiter);

/** Arguments of `describe.skipIf`: whether the tool is missing, and a title that says how to get it. */
export function needs(tool: Tool): { isMissing: boolean; title: string } {
  const isMissing = !PATH.split(delimiter).some((folder) => isExecutable(join(folder, tool)));
  return { isMissing, title: isMissing ? `${tool} (apt-get install -y ${TOOLS[tool]})` : tool };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const LARGEST_OUTPUT = 64 * 1024 * 1024;

/** @throws when the program fails, with its standard error in the message */
export async function run(tool: Tool, ...args: string[]): Promise<{ stdout: Buffer; stderr: string }> {
  // Names are bytes in UTF-8 whatever the machine's language.
  const env = { ...process.env, PATH, LC_ALL: "C.UTF-8" };
  const options = { env, encoding: "buffer", maxBuffer: LARGEST_OUTPUT } as const;
  const { stdout, stderr } = await promisify(execFile)(tool, args, options);
  return { stdout, stderr: stderr.toString() };
}

export const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Extracts by Rock Ridge, by Joliet where that is told to be ignored, or by neither. */
export const readByXorriso = (image: string, view: "any" | "norock" | "ecma119") =>
  extracted((folder) =>
    run("xorriso", "-osirrox", "on", "-read_fs", view, "-indev", image, "-extract", "/", join(folder, "out")),
  );

export const readByBsdtar = (image: string, options: "rockridge" | "!rockridge") =>
  extracted(async (folder) => {
    await mkdir(join(folder, "out"));
    return run("bsdtar", "--options", options, "-C", join(folder, "out"), "-xf", image);
  });

async function extracted(extract: (folder: string) => Promise<unknown>): Promise<Contents> {
  const folder = mkdtempSync(join(tmpdir(), "xen-iso-read-"));
  try {
    await extract(folder);
    return await contentsOf(join(folder, "out"));
  } finally {
    // Folders of a disc are read-only.
    await promisify(execFile)("chmod", ["-R", "u+w", folder]);
    await rm(folder, { recursive: true });
  }
}

async function contentsOf(folder: string): Promise<Contents> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents: Contents = {};
  for (const path of files) contents[relative(folder, path)] = sha256(await readFile(path));
  return contents;
}

/** Paths of folders and files, without the leading `/`; Joliet's with `_` for what is not Latin-1. */
export async function listByIsoinfo(image: string, view: "plain" | "-R" | "-J"): Promise<string[]> {
  const { stdout } = await run("isoinfo", ...viewArguments(view), "-f", "-i", image);
  const text = stdout.toString(view === "-J" ? "latin1" : "utf8");
  return text.split("\n").flatMap((path) => (path === "" ? [] : [path.slice(1)]));
}

export async function readByIsoinfo(
  image: string,
  view: "plain" | "-R" | "-J",
  paths: Iterable<string>,
): Promise<Contents> {
  const contents: Contents = {};
  const queue = [...paths];
  const work = async () => {
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      const { stdout } = await run("isoinfo", ...viewArguments(view), "-i", image, "-x", `/${path}`);
      contents[path] = sha256(stdout);
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return contents;
}

const viewArguments = (view: "plain" | "-R" | "-J") => (view === "plain" ? [] : [view]);

/** Files and folders with the path that libcdio shows for them: by Joliet, or by Rock Ridge where that is ignored. */
export async function listByIsoInfo(image: string, options: readonly string[] = []): Promise<string[]> {
  const { stdout } = await run("iso-info", ...options, "-f", "-i", image);
  const lines = stdout.toString().matchAll(/^ *\d+ \/(.*)$/gm);
  return Array.from(lines, ([, path]) => path ?? "");
}
