import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { SCRIPT } from "../../host/command-line";

const repository = resolve(__dirname, "../../..");

const commandLine = (...args: string[]) =>
  spawnSync(process.execPath, [...SCRIPT, ...args], {
    cwd: repository,
    encoding: "utf8",
  });

/** What bash would offer for these words, the last of which is begun. */
function complete(script: string, ...words: string[]): string[] {
  const call = `${script}
COMP_WORDS=(pulumi-xen-iso "$@"); COMP_CWORD=$#; _pulumi_xen_iso; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", call, "bash", ...words], { encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean);
}

test("bash completes commands, and the options of each", () => {
  const { stdout: script } = commandLine("completion", "bash");
  expect(complete(script, "")).toEqual(expect.arrayContaining(["list", "sweep", "doctor", "completion"]));
  expect(complete(script, "do")).toEqual(["doctor"]);
  expect(complete(script, "sweep", "--st")).toEqual(["--stack"]);
  expect(complete(script, "list", "--host")).toEqual(["--host", "--host-key"]);
  expect(complete(script, "list", "--stack")).toEqual([]);
});

test("zsh uses the script of bash, fish has its own, another shell is refused", () => {
  expect(commandLine("completion", "zsh").stdout).toContain("bashcompinit");
  const { stdout } = commandLine("completion", "fish");
  expect(stdout).toMatch(
    /^complete -c pulumi-xen-iso -n "__fish_seen_subcommand_from sweep" -l stack -d '.+'$/m,
  );
  expect(commandLine("completion", "csh")).toMatchObject({ status: 2, stdout: "" });
});

test("--version prints that of the package", () => {
  const { version } = JSON.parse(readFileSync(resolve(repository, "package.json"), "utf8")) as {
    version: string;
  };
  expect(commandLine("--version")).toMatchObject({ status: 0, stdout: `${version}\n` });
});
