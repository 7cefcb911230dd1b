import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeFiles } from "../engine/project";
import { PNPM_UNHOISTED } from "../matrix/cells";
import { TEMPLATE } from "./template";

const run = promisify(execFile);
const repository = resolve(__dirname, "../..");
const examples = readdirSync(join(repository, "examples")).filter((name) =>
  readdirSync(join(repository, "examples", name)).includes("package.json"),
);

let root: string;

// Each finds the packages alone that its own package.json names.
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "examples-"));
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", root], { cwd: repository });
  await cp(join(repository, "examples"), root, {
    recursive: true,
    filter: (file) => basename(file) !== "node_modules",
  });
  await writeFiles(
    { folder: root },
    {
      ...PNPM_UNHOISTED.files,
      "package.json": JSON.stringify({
        private: true,
        pnpm: { overrides: { "pulumi-xen-iso": `file:${join(root, stdout.trim())}` } },
      }),
      "pnpm-workspace.yaml": JSON.stringify({ packages: examples }),
      "tsconfig.json": JSON.stringify(allInOne()),
    },
  );
  const [command = "", ...args] = PNPM_UNHOISTED.command;
  await run(command, args, { cwd: root, env: { ...process.env, CI: "" } });
}, 300_000);

afterAll(() => rm(root, { recursive: true, force: true }));

/** One run of the compiler for all: most of its time goes into the declarations of Pulumi. */
function allInOne(): object {
  const { compilerOptions } = TEMPLATE.tsconfig;
  const typeRoots = examples.map((name) => `${name}/node_modules/@types`);
  return {
    compilerOptions: { ...compilerOptions, typeRoots },
    files: examples.map((name) => `${name}/index.ts`),
  };
}

test("every example compiles with the packages that it names, and no others", async () => {
  const compiler = join(root, examples[0]!, "node_modules", ".bin", "tsc");
  // Its errors are on stdout, which vitest shows of a command that fails.
  await run(compiler, ["--noEmit", "--pretty", "false"], { cwd: root });
});

test.each(examples)("examples/%s has the tools of a new Pulumi project", (name) => {
  const manifest = JSON.parse(readFileSync(join(repository, "examples", name, "package.json"), "utf8")) as {
    devDependencies?: object;
  };
  expect(manifest.devDependencies).toEqual(TEMPLATE.devDependencies);
});
