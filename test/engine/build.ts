import { execFile } from "node:child_process";
import { chmod, copyFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { Engine } from "./engine-folder";

/** The folder of the Go modules, `cli`, `language` and `language-go`, that the engine is built from. */
export const engineModules = join(__dirname, "go");

const cli = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
const yamlHost = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml";
const generator = "./pulumi-gen-sdk";
/** A script that belongs to the Python host: it runs the program. */
const pythonRunner = "python/cmd/pulumi-language-python-exec";
/** Each of the other hosts is in the last release of the SDK that still had it. */
const languageHosts = {
  language: [
    "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
  ],
  "language-go": ["github.com/pulumi/pulumi/sdk/v3/go/pulumi-language-go"],
} as const;
const versionVariable = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

const run = promisify(execFile);

/**
 * Builds the CLI and the language hosts into the engine's folder, with the Go toolchain on PATH.
 *
 * @throws Error saying what to install, if there is no Go
 */
export async function buildEngine({ folder, version }: Engine): Promise<void> {
  await requireGo();
  // One build for all three: they share most of their packages.
  await goBuild("cli", folder, [
    "-ldflags",
    `-s -w -X ${versionVariable}=v${version}`,
    cli,
    yamlHost,
    generator,
  ]);
  for (const [module, hosts] of Object.entries(languageHosts))
    await goBuild(module, folder, ["-ldflags", "-s -w", ...hosts]);
  const sdk = await go("language", ["list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"]);
  await copyFile(join(sdk.trim(), pythonRunner), join(folder, basename(pythonRunner)));
  await chmod(join(folder, basename(pythonRunner)), 0o755);
}

async function requireGo(): Promise<void> {
  try {
    await run("go", ["version"]);
  } catch (error) {
    throw new Error(
      "There is no Pulumi engine for the tests, and no Go to build one. Install Pulumi " +
        "(https://www.pulumi.com/docs/install/) or Go 1.25 or later (https://go.dev/dl/), and put it on PATH.",
      { cause: error },
    );
  }
}

async function goBuild(module: string, folder: string, args: readonly string[]): Promise<void> {
  // -buildvcs=false: the module lies in this repository, whose version is not the program's.
  await go(module, ["build", "-trimpath", "-buildvcs=false", "-o", folder, ...args]);
}

async function go(module: string, args: readonly string[]): Promise<string> {
  const options = {
    cwd: join(engineModules, module),
    env: { ...process.env, GOWORK: "off" },
    maxBuffer: Infinity,
  };
  return (await run("go", args, options)).stdout;
}
