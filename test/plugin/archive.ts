import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The place in Node.js that says whether a program is inside. @see Node.js: single executable applications */
export const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/** Where Node.js looks for its program on macOS. */
export const MAC_SEGMENT = "NODE_SEA";

/** Text of the plugin that nothing in Node.js has. */
const PLUGIN_TEXT = "xen:index:getDiscs";

/**
 * Checks an archive for `pulumi plugin install` as far as that is possible on any machine: its layout, that the
 * executable is for the machine, and that Node.js will find the plugin in it.
 *
 * @param machine as Pulumi names it, `linux-amd64`
 * @throws Error naming what is wrong
 */
export async function checkArchive(archive: string, machine: string): Promise<void> {
  const name = machine.startsWith("windows") ? "pulumi-resource-xen.exe" : "pulumi-resource-xen";
  const { stdout } = await run("tar", ["-tvzf", archive]);
  const entries = stdout.trim().split("\n");
  if (entries.length !== 1 || !entries[0]?.startsWith("-rwxr-xr-x ") || !entries[0].endsWith(` ${name}`))
    throw new Error(`${archive} must have ${name} with mode 755, and nothing else; it has:\n${stdout}`);
  const scratch = await mkdtemp(join(tmpdir(), "pulumi-xen-archive-"));
  try {
    await run("tar", ["-xzf", archive, "-C", scratch]);
    const problem = problemOf(await readFile(join(scratch, name)), machine);
    if (problem !== undefined) throw new Error(`${archive} ${problem}`);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

function problemOf(executable: Buffer, machine: string): string | undefined {
  const found = machineOf(executable);
  if (found !== machine) return `is for ${found}`;
  if (!executable.includes(`${FUSE}:1`)) return "has a Node.js that does not know of its program";
  if (!executable.includes(PLUGIN_TEXT)) return "does not have the plugin in it";
  if (machine.startsWith("darwin") && !executable.includes(paddedName(MAC_SEGMENT)))
    return `has the plugin in another segment than ${MAC_SEGMENT}`;
  return undefined;
}

/** The machine in the header of an executable. */
function machineOf(executable: Buffer): string {
  const magic = executable.readUInt32BE(0);
  if (magic === 0x7f454c46)
    return `linux-${nameOf({ 62: "amd64", 183: "arm64" }, executable.readUInt16LE(18))}`;
  if (magic === 0xcffaedfe)
    return `darwin-${nameOf({ 0x1000007: "amd64", 0x100000c: "arm64" }, executable.readUInt32LE(4))}`;
  if (magic >>> 16 === 0x4d5a) {
    const header = executable.readUInt32LE(0x3c);
    return `windows-${nameOf({ 0x8664: "amd64", 0xaa64: "arm64" }, executable.readUInt16LE(header + 4))}`;
  }
  return `a file with the magic number ${magic.toString(16)}`;
}

function nameOf(names: Readonly<Record<number, string>>, type: number): string {
  return names[type] ?? `machine type ${type}`;
}

/** A segment's name as a load command has it. */
const paddedName = (name: string) => name.padEnd(16, "\0");
