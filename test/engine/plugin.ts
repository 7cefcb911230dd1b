import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { SimulatedHost } from "../simulator";
import { type Engine, sdkGenerator } from "./engine-folder";
import type { Project } from "./project";
import type { Stack } from "./stack";

/** The file that the engine starts as the provider plugin. */
const pluginProgram = "pulumi-resource-xen";

const main = resolve(__dirname, "../../dist/plugin/main.js");

/** A line for `Pulumi.yaml` that says where the plugin is. */
export const pluginSetting = { providers: [{ name: "xen", path: "." }] };

/**
 * Variables with which an engine that was built here starts plugins in Node.js: a folder on PATH has a stand-in for the
 * vendor's language host, which cannot be built from published modules.
 */
export async function hostForPlugins(engine: Engine, folder: string): Promise<Record<string, string>> {
  if (!existsSync(join(engine.folder, sdkGenerator))) return {};
  await mkdir(folder, { recursive: true });
  const host = join(folder, "pulumi-language-nodejs");
  const script = require.resolve("./language-host.ts");
  const loader = require.resolve("tsx");
  await writeFile(host, `#!/bin/sh\nexec '${process.execPath}' --import '${loader}' '${script}' "$@"\n`);
  await chmod(host, 0o755);
  return { PATH: [folder, engine.folder, process.env["PATH"]].join(delimiter) };
}

/** Puts the plugin as it is built into the project's folder. */
export async function installPlugin({ folder }: Pick<Project, "folder">): Promise<void> {
  const file = join(folder, pluginProgram);
  await writeFile(file, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  await chmod(file, 0o755);
}

/** Gives the provider's settings to the stack's configuration. */
export async function configureHost(stack: Stack, { connection }: SimulatedHost): Promise<void> {
  const { host, port, hostKey, password = "" } = connection;
  await stack.configAll(
    { "xen:host": host, "xen:port": port, "xen:hostKey": hostKey, "xen:dialErrorLimit": 3 },
    { "xen:password": password },
  );
}
