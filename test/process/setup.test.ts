import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

const installing = "Installing packages (npm ci)\n";
const building = "Building dist\n";

/** A `tsc` that makes what setup looks for, or fails where the sources say so. */
const tsc = `
  const fs = require("node:fs");
  if (fs.readFileSync("provider/index.ts", "utf8").includes("wrong")) process.exit(2);
  fs.mkdirSync("dist", { recursive: true });
  fs.writeFileSync(process.argv[3] === "tsconfig.types.json" ? "dist/index.d.ts" : "dist/index.js", "");
`;

let clone: string;

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "setup-"));
  for (const script of ["setup.mjs", "build.mjs"])
    await cp(resolve(__dirname, "../", script), join(clone, "test", script));
  for (const file of ["package.json", "tsconfig.json", "tsconfig.build.json", "tsconfig.types.json"])
    await write(file, "{}");
  await write("provider/index.ts", "fine");
  await write("provider/host/remote/status.sh", "FAILED=1");
  await write("tsc", tsc);
  await lock({ version: "1.0.0" });
  await write("bin/npm", installer());
  await chmod(join(clone, "bin", "npm"), 0o755);
});
afterEach(async () => {
  await rm(clone, { recursive: true });
});

it("installs and builds a fresh clone, then has nothing to do", async () => {
  expect(await setup()).toBe(installing + building);
  expect(await setup()).toBe("");
});

it("builds declarations and copies shell files, and removes what has lost its source", async () => {
  await write("dist/old.js", "");
  await write("dist/host/remote/old.sh", "");
  await setup();
  const built = await readdir(join(clone, "dist"), { recursive: true });
  expect(built.sort()).toEqual(["host", "host/remote", "host/remote/status.sh", "index.d.ts", "index.js"]);
});

it("installs again, and so builds again, when the lock file names another version", async () => {
  await setup();
  await lock({ version: "1.0.1" });
  expect(await setup()).toBe(installing + building);
});

it("does not miss an optional package of another system", async () => {
  await setup();
  await write("node_modules/.package-lock.json", JSON.stringify({ packages: {} }));
  await lock({ version: "1.0.0", optional: true });
  expect(await setup()).toBe("");
});

it("builds again when a source is changed or removed", async () => {
  await write("provider/other.ts", "other");
  await setup();
  await write("provider/index.ts", "better");
  expect(await setup()).toBe(building);

  await rm(join(clone, "provider", "other.ts"));
  expect(await setup()).toBe(building);
});

it("fails when the build fails, the next time too", async () => {
  await write("provider/index.ts", "wrong");
  await expect(setup()).rejects.toMatchObject({ code: 2, stdout: installing + building });
  await expect(setup()).rejects.toMatchObject({ code: 2, stdout: building });
});

async function setup(): Promise<string> {
  const PATH = [join(clone, "bin"), process.env["PATH"]].join(delimiter);
  const env = { ...process.env, PATH, npm_execpath: "" };
  const { stdout } = await promisify(execFile)(process.execPath, ["test/setup.mjs"], { cwd: clone, env });
  return stdout;
}

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(clone, path)), { recursive: true });
  await writeFile(join(clone, path), content);
}

async function lock(entry: { version: string; optional?: boolean }): Promise<void> {
  await write("package-lock.json", JSON.stringify({ packages: { "": {}, "node_modules/some": entry } }));
}

/** An `npm` that installs what the lock file says. */
function installer(): string {
  return `#!/bin/sh
[ "$1 $2" = "ci --include=dev" ] || exit 1
rm -rf node_modules && mkdir -p node_modules/typescript/bin
cp package-lock.json node_modules/.package-lock.json
cp tsc node_modules/typescript/bin/tsc
`;
}
