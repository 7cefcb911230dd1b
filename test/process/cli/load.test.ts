import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const repository = resolve(__dirname, "../../..");

/** The packages that a module and what it requires load. */
async function packagesLoadedBy(module: string): Promise<string[]> {
  const script = `require(${JSON.stringify(module)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const args = ["--import", "tsx", "-e", script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: repository,
    maxBuffer: 2 ** 26,
  });
  const files = JSON.parse(stdout) as string[];
  return [...new Set(files.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? ""))];
}

test("the command line loads nothing of Pulumi's", async () => {
  const packages = await packagesLoadedBy("./provider/cli/program.ts");
  expect(packages).toContain("commander");
  expect(packages.filter((name) => name.startsWith("@pulumi/"))).toEqual([]);
});

test("a program that imports the package loads nothing of the command line's", async () => {
  const packages = await packagesLoadedBy("./provider/index.ts");
  expect(packages).toContain("@pulumi/pulumi");
  expect(packages).not.toContain("commander");
});
