import { execFile } from "node:child_process";
import { relative, resolve, sep } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const repository = resolve(__dirname, "../..");

test("a program that imports the package loads the SDK it has in any case, and a few small files", async () => {
  const program = `
    require("@pulumi/pulumi");
    const before = new Set(Object.keys(require.cache));
    require("pulumi-xen-iso");
    console.log(JSON.stringify(Object.keys(require.cache).filter((file) => !before.has(file))));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ["--eval", program], { cwd: repository });
  const files = (JSON.parse(stdout) as string[]).map((file) =>
    relative(repository, file).split(sep).join("/"),
  );

  // No ssh2, no uuid: whatever talks to a host is loaded by the process that hosts the provider.
  // The one small library finds the name that was meant by a misspelled one.
  expect(files.filter((file) => file.includes("node_modules"))).toEqual([
    "node_modules/fastest-levenshtein/mod.js",
  ]);
  const own = files.filter((file) => file.startsWith("dist"));
  const layers = new Set(own.map((file) => file.split("/").slice(0, -1).join("/")));
  expect([...layers].sort()).toEqual(["dist", "dist/iso", "dist/lifecycle", "dist/resources", "dist/text"]);
  expect(files.filter((file) => file.startsWith("dist/lifecycle/"))).toEqual([
    "dist/lifecycle/serialised.js",
  ]);
});
