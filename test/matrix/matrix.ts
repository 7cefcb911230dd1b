/**
 * `npm run test:matrix`: real ups of the packed package, under every package manager, way to run a program, version of
 * Node.js and of Pulumi's SDK that it promises. Prints a line for each cell.
 *
 * `-- --sample` runs a few, as `.ci/run` does; `-- --only <regular expression>` those whose name matches.
 */
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { isDeepStrictEqual, parseArgs, promisify } from "node:util";
import { findEngine } from "../engine/engine";
import { connectionTo, discProgram } from "../engine/programs";
import { writeFiles } from "../engine/project";
import { Stack } from "../engine/stack";
import { nothing } from "../host/pool";
import { seedImage } from "../seed-image";
import { type SimulatedPool, startPool } from "../simulator";
import { type Cell, CELLS, SAMPLE_SIZE } from "./cells";
import { INLINE_PROGRAM } from "./inline";

const repository = resolve(__dirname, "../..");
const run = promisify(execFile);

/** Holds the binary itself; the package `node` fetches it by an installation script, which npm may not run. */
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;

/** No single installation or command of a program takes longer. */
const TIMEOUT_MS = 5 * 60_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { sample: { type: "boolean" }, only: { type: "string" } } });
  const cells = (values.sample ? CELLS.slice(0, SAMPLE_SIZE) : CELLS).filter(({ name }) =>
    new RegExp(values.only ?? "").test(name),
  );
  const folder = await mkdtemp(join(tmpdir(), "package-matrix-"));
  let failures = 0;
  try {
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], {
      cwd: repository,
    });
    for (const [index, cell] of cells.entries()) {
      const startedAt = Date.now();
      const error = await runCell(cell, join(folder, String(index)), join(folder, stdout.trim())).catch(
        (reason: unknown) => reason ?? "unknown",
      );
      const seconds = Math.round((Date.now() - startedAt) / 1000);
      console.log(`${error === undefined ? "ok    " : "FAILED"}  ${cell.name}  (${seconds} s)`);
      if (error !== undefined) console.log(error instanceof Error ? error.message : error);
      failures += error === undefined ? 0 : 1;
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`${cells.length} ups: ${cells.length - failures} passed, ${failures} failed`);
  process.exitCode = failures === 0 && cells.length > 0 ? 0 : 1;
}

async function runCell(cell: Cell, top: string, tarball: string): Promise<undefined> {
  await using pool = await startPool({ transport: "embedded" });
  const folder = cell.layout === "workspace" ? join(top, "programs", "first") : top;
  await mkdir(folder, { recursive: true });
  const image = join(folder, "web-1.iso");
  const writeImage = async (text: string) =>
    writeFiles({ folder }, { "web-1.iso": await seedImage({ a: text }) });
  await writeImage("first");
  await writeProgram(
    cell,
    { top, folder, tarball },
    { isoPath: image, connection: connectionTo(pool.coordinator) },
  );
  await installPackages(cell, { top, folder });

  const engine = await findEngine();
  const path = [...(cell.node ? [join(top, "node_modules", NODE_PACKAGE, "bin")] : []), process.env["PATH"]];
  await using stack = await Stack.create(engine, folder);
  const env = { PATH: [engine.folder, ...path].join(delimiter) };
  if (cell.node)
    expectOutput((await run("node", ["--version"], { env })).stdout, new RegExp(`^v${cell.node}\\.`));
  const operate = commandOf(cell, stack, folder, env);
  if (cell.refusal) {
    const { output } = await stack.up({ env, expectFailure: true });
    if (!cell.refusal.test(output)) throw new Error(`The refusal is not clear:\n${output}`);
    return undefined;
  }
  expectOutput(await operate("up"), /\+ 2 created/);
  expectOutput(await operate("up"), /2 unchanged/);
  await writeImage("second");
  expectOutput(await operate("up"), /1 replaced/);
  await operate("destroy");
  await assertNothingLeft(pool);
  return undefined;
}

/** Runs an operation, and returns what it printed: by the CLI, or by the program itself. */
function commandOf(cell: Cell, stack: Stack, folder: string, env: Record<string, string>) {
  return async (operation: "up" | "destroy"): Promise<string> => {
    if (cell.program !== "inline") return (await stack[operation]({ env })).output;
    const { stdout } = await run("node", ["inline.js", operation], {
      cwd: folder,
      env: { ...stack.env, ...env },
      timeout: TIMEOUT_MS,
    });
    return stdout;
  };
}

function expectOutput(output: string, pattern: RegExp): void {
  if (!pattern.test(output)) throw new Error(`Expected ${pattern} in:\n${output}`);
}

async function assertNothingLeft(pool: SimulatedPool): Promise<void> {
  const left = await pool.leftovers();
  if (!isDeepStrictEqual(left, nothing)) throw new Error(`Left on the host: ${JSON.stringify(left)}`);
}

async function writeProgram(
  cell: Cell,
  { top, folder, tarball }: { top: string; folder: string; tarball: string },
  args: object,
): Promise<void> {
  const isTypeScript = ["ts-node", "tsx", "esbuild"].includes(cell.program);
  const dialect = isTypeScript ? "typescript" : cell.program === "esm" ? "esm" : "commonjs";
  const files = discProgram(args, dialect);
  const manifest = JSON.parse(files["package.json"] ?? "{}") as Record<string, unknown>;
  const bundle = { main: "dist/index.js" };
  const dependencies = {
    "pulumi-xen-iso": `file:${tarball}`,
    "@pulumi/pulumi": cell.sdk ?? "3.248.0",
    ...(isTypeScript && { typescript: "~5.9.3", "@types/node": "^20" }),
    ...(cell.program === "tsx" && { tsx: "^4.20.0" }),
    ...(cell.program === "esbuild" && { esbuild: "^0.25.0" }),
    ...(cell.node && { [NODE_PACKAGE]: cell.node }),
  };
  await writeFiles(
    { folder },
    {
      ...files,
      "package.json": JSON.stringify({
        ...manifest,
        ...(cell.program === "esbuild" && bundle),
        version: "1.0.0",
        dependencies,
      }),
      ...(cell.program === "tsx" && {
        "Pulumi.yaml":
          "name: test-project\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n    nodeargs: --import tsx\n",
      }),
      ...(cell.program === "inline" && {
        "inline.js": INLINE_PROGRAM,
        "arguments.json": JSON.stringify(args),
      }),
      ...cell.install.files,
    },
  );
  if (cell.layout === "workspace")
    await writeFiles(
      { folder: top },
      { "package.json": JSON.stringify({ name: "top", private: true, workspaces: ["programs/*"] }) },
    );
}

async function installPackages(cell: Cell, { top, folder }: { top: string; folder: string }): Promise<void> {
  const [command = "", ...args] = cell.install.command;
  const options = { cwd: top, timeout: TIMEOUT_MS, env: { ...process.env, CI: "" } };
  await run(command, args, options);
  if (cell.layout === "two SDKs") {
    const library = join(folder, "node_modules", "pulumi-xen-iso");
    await writeFiles({ folder: library }, { "package.json": await withOwnSdk(library) });
    await run("npm", ["install", "--omit=dev", "--no-audit", "--no-fund", "--prefer-offline"], {
      ...options,
      cwd: library,
    });
    await access(join(library, "node_modules", "@pulumi", "pulumi"));
  }
  if (cell.program === "esbuild")
    await run(
      join(folder, "node_modules", ".bin", "esbuild"),
      ["index.ts", "--bundle", "--platform=node", "--external:@pulumi/pulumi", "--outfile=dist/index.js"],
      { ...options, cwd: folder },
    );
}

/** The package's manifest, with the SDK among its own dependencies, in another version than the program's. */
async function withOwnSdk(library: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(library, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    peerDependencies?: unknown;
    scripts?: unknown;
    devDependencies?: unknown;
  };
  const { peerDependencies, scripts, devDependencies, ...rest } = manifest;
  return JSON.stringify({ ...rest, dependencies: { ...rest.dependencies, "@pulumi/pulumi": "3.230.0" } });
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
