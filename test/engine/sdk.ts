import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "./engine";
import { type Engine, sdkGenerator } from "./engine-folder";
import { withLock } from "./lock";

const repository = resolve(__dirname, "../..");
const schema = join(repository, "provider/plugin/schema.json");
const run = promisify(execFile);

/** The module of the generated SDK. */
const GO_MODULE = "github.com/pulumi/pulumi-xen/sdk/go/xen";

/** A language whose programs need a generated SDK. */
export type SdkLanguage = "nodejs" | "python" | "go";

/**
 * Generates the SDK of the plugin for a language into the project's folder `sdks`, and makes it usable there.
 *
 * @returns variables that programs of the project need
 */
export async function generateSdk(
  engine: Engine,
  language: SdkLanguage,
  projectFolder: string,
): Promise<Record<string, string>> {
  const out = join(projectFolder, "sdks");
  await mkdir(out, { recursive: true });
  const generator = join(engine.folder, sdkGenerator);
  if (existsSync(generator)) await run(generator, [language, schema, out]);
  else {
    // An engine of the vendor's has language hosts that generate.
    const args = ["package", "gen-sdk", schema, "--language", language, "--out", `${out}.all`];
    await run(join(engine.folder, "pulumi"), args);
    await rm(out, { recursive: true });
    await rename(join(`${out}.all`, language), out);
  }
  return USABLE[language](out, engine);
}

const USABLE: Record<SdkLanguage, (out: string, engine: Engine) => Promise<Record<string, string>>> = {
  /** Compiled, and found by its name. */
  nodejs: async (out) => {
    const modules = join(out, "..", "node_modules");
    await symlink(join(repository, "node_modules"), join(out, "node_modules"), "junction");
    await run(process.execPath, [
      join(repository, "node_modules/typescript/bin/tsc"),
      "-p",
      out,
      "--skipLibCheck",
    ]);
    await symlink(join(out, "bin"), join(modules, "pulumi-xen"), "junction");
    await copyFile(join(out, "package.json"), join(out, "bin", "package.json"));
    return {};
  },
  /** Installed, because it asks for the metadata of its own package. */
  python: async (out, { version }) => {
    const packages = await pythonPackages(version);
    const target = join(out, "installed");
    const flags = ["--quiet", "--no-deps", "--no-build-isolation", "--target", target];
    const env = { ...process.env, PYTHONPATH: packages };
    await run("python3", ["-m", "pip", "install", ...flags, out], { env });
    return { PYTHONPATH: [target, packages].join(delimiter) };
  },
  go: async (out, { version }) => {
    const manifest = `module ${GO_MODULE}\n\ngo 1.25\n\nrequire github.com/pulumi/pulumi/sdk/v3 v${version}\n`;
    await writeFile(join(out, "xen", "go.mod"), manifest);
    // As the engine was built: what Go has compiled for it need not be compiled again.
    const { stdout } = await run("go", ["env", "-json", "GOCACHE", "GOMODCACHE"]);
    const caches = JSON.parse(stdout) as Record<"GOCACHE" | "GOMODCACHE", string>;
    const env = { ...caches, GOFLAGS: "-mod=mod -trimpath -buildvcs=false" };
    // Else Pulumi builds the program for each command.
    const project = join(out, "..");
    await run("go", ["build", "-o", "program", "."], { cwd: project, env: { ...process.env, ...env } });
    const settings = join(project, "Pulumi.yaml");
    const runtime = "runtime: { name: go, options: { binary: program } }";
    await writeFile(settings, (await readFile(settings, "utf8")).replace("runtime: go", runtime));
    return env;
  },
};

/** Python's `pulumi` of the engine's version, and what installs and runs generated SDKs, installed once into the user's cache. */
async function pythonPackages(version: string): Promise<string> {
  const folder = join(cacheFolder(), "pulumi-xen-iso", `python-${version}`);
  await withLock(
    `${folder}.lock`,
    () => undefined,
    async () => {
      if (existsSync(folder)) return;
      const part = `${folder}.part`;
      await rm(part, { recursive: true, force: true });
      const packages = [`pulumi==${version}`, "parver~=0.5", "semver>=2.8.1", "setuptools", "wheel"];
      await run("python3", ["-m", "pip", "install", "--quiet", "--target", part, ...packages]);
      await rename(part, folder);
    },
  );
  return folder;
}
