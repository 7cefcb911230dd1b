import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { SCRIPT } from "../../host/command-line";

const repository = resolve(__dirname, "../../..");

test.each<[string[], RegExp]>([
  [["sweep"], /^Give exactly one of --uuid, --stack, --owner, --pending and --lost\./],
  [["sweep", "--lost", "--pending"], /^Give exactly one of/],
  [["sweep", "--lost", "--project", "shop"], /^--project goes with --stack\./],
  [["list", "--sr-mount-path", "opt/"], /^--sr-mount-path: "opt\/" must be an absolute path/],
])("%j is refused before there is a connection", (args, words) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...SCRIPT, ...args, "--host", "xen1.invalid"],
    { cwd: repository, encoding: "utf8", env: { ...process.env, XEN_PASSWORD: "hunter2" } },
  );
  expect(stderr).toMatch(words);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
});
