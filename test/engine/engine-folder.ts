import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** A Pulumi engine: a folder that holds the CLI and its language hosts. */
export interface Engine {
  /** To be put first on PATH. */
  readonly folder: string;
  /** For instance `3.230.0`. */
  readonly version: string;
}

/** The plugin for dynamic providers, a script that the npm package `@pulumi/pulumi` holds. */
export const dynamicPlugin = "pulumi-resource-pulumi-nodejs";

const cli = "pulumi";

/** The languages in which the tests have programs, and the script that runs those in Python. */
export const languageHosts = ["nodejs", "yaml", "python", "python-exec", "go"].map(
  (name) => `pulumi-language-${name}`,
);

/** Generates SDKs; only an engine that was built here has it, and needs it. */
export const sdkGenerator = "pulumi-gen-sdk";

/** The folder of PATH that holds the CLI, if all language hosts are on PATH too. */
export async function folderOnPath(): Promise<string | undefined> {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter(Boolean);
  for (const host of languageHosts) if (!(await firstWith(host, folders))) return undefined;
  return firstWith(cli, folders);
}

/** Whether everything is in `folder` that an engine needs. */
export async function isEngine(folder: string): Promise<boolean> {
  const found = await Promise.all([cli, ...languageHosts, dynamicPlugin].map((name) => has(folder, name)));
  return found.every(Boolean);
}

/** Asks the CLI in `folder` for its version. */
export async function versionOf(folder: string): Promise<string> {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  const { stdout } = await promisify(execFile)(join(folder, cli), ["version"], { env });
  return stdout.trim().replace(/^v/, "");
}

async function firstWith(program: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) if (await has(folder, program)) return folder;
  return undefined;
}

async function has(folder: string, program: string): Promise<boolean> {
  return await access(join(folder, program), constants.X_OK).then(
    () => true,
    () => false,
  );
}
