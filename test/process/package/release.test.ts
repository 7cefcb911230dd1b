import { execFileSync, spawnSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";

let clone: string;

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "release-"));
  const script = "test/package/release.mjs";
  await cp(resolve(__dirname, "../../..", script), join(clone, script));
  await write("package.json", JSON.stringify({ version: "1.2.0" }));
  await write("CHANGELOG.md", "# Changelog\n\n## [1.2.0] - 2026-11-25\n");
  await write("test/states/recorded/1.2.0/one/state.json", "{}");
  await write(".gitignore", "node_modules/\n");
  // An npm that says what it was asked for.
  await write("node_modules/bin/npm", `#!/bin/sh\necho "$@" >>"${clone}/node_modules/npm.log"\n`);
  await chmod(join(clone, "node_modules/bin/npm"), 0o755);
  git("init", "--quiet");
  git("add", "-A");
  git("commit", "--quiet", "-m", "Release");
  await write("node_modules/.pulumi-xen-iso-tested", git("rev-parse", "HEAD^{tree}"));
});
afterEach(async () => {
  await rm(clone, { recursive: true });
});

it("packs a tested tree, and publishes nothing unless it is asked to", async () => {
  expect(release()).toMatchObject({ status: 0, stdout: expect.stringContaining("Nothing was published") });
  expect(await npmCalls()).toBe("pack\n");
  expect(git("tag")).toBe("");

  expect(release("--publish").status).toBe(0);
  expect(await npmCalls()).toBe("pack\npack\npublish\n");
  expect(git("tag")).toBe("v1.2.0\n");

  expect(release("--check")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("is released already"),
  });
});

it("refuses a tree with changes", async () => {
  await write("other.txt", "");
  await isRefused("has changes that are not committed");
});

it("refuses a tree that was not tested, or was changed since", async () => {
  await write("other.txt", "");
  git("add", "-A");
  git("commit", "--quiet", "-m", "Change");
  await isRefused("was not tested");
  await rm(join(clone, "node_modules/.pulumi-xen-iso-tested"));
  await isRefused("was not tested");
});

it("refuses a version that the changelog does not have", async () => {
  await write("CHANGELOG.md", "## [Unreleased]\n\n## [1.2.0-beta] - 2026-11-25\n");
  await isRefused("no section for 1.2.0");
});

it("refuses a version whose states are not recorded", async () => {
  await rm(join(clone, "test/states/recorded"), { recursive: true });
  await isRefused("No states of 1.2.0 are recorded");
});

async function isRefused(reason: string): Promise<void> {
  for (const args of [[], ["--publish"], ["--check"]])
    expect(release(...args)).toMatchObject({ status: 1, stderr: expect.stringContaining(reason) });
  await expect(npmCalls()).rejects.toThrow();
}

function release(...args: string[]) {
  const PATH = [join(clone, "node_modules/bin"), process.env["PATH"]].join(delimiter);
  return spawnSync(process.execPath, ["test/package/release.mjs", ...args], {
    cwd: clone,
    env: { ...process.env, PATH },
    encoding: "utf8",
  });
}

function git(...args: string[]): string {
  const identity = ["-c", "user.name=test", "-c", "user.email=test@example.net"];
  return execFileSync("git", [...identity, ...args], { cwd: clone, encoding: "utf8" });
}

const npmCalls = () => readFile(join(clone, "node_modules/npm.log"), "utf8");

async function write(path: string, content: string): Promise<void> {
  await mkdir(dirname(join(clone, path)), { recursive: true });
  await writeFile(join(clone, path), content);
}
