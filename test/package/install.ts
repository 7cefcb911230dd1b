import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

/** A folder whose `node_modules` holds the package as npm installs it from its tarball. */
export interface Workspace extends AsyncDisposable {
  readonly folder: string;
  /** Runs a program that one of the packages has brought. */
  readonly npx: (args: readonly string[]) => Promise<{ stdout: string }>;
}

const repository = resolve(__dirname, "../..");

/**
 * Packs this repository and installs the tarball in a new folder, beside `dependencies` (package name to version).
 */
export async function installPackage(dependencies: Readonly<Record<string, string>>): Promise<Workspace> {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-workspace-"));
  const npm = (args: string[], cwd: string) => promisify(execFile)("npm", args, { cwd });
  const { stdout } = await npm(["pack", "--silent", "--pack-destination", folder], repository);
  const all = { "pulumi-xen-iso": `file:${stdout.trim()}`, ...dependencies };
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: all }));
  await npm(["install", "--no-audit", "--no-fund", "--prefer-offline", "--no-package-lock"], folder);
  return {
    folder,
    npx: (args) => promisify(execFile)("npx", args, { cwd: folder }),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
