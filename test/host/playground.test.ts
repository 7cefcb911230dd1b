import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { RunningCommand } from "../engine/command";
import { imageBytes, writeTemporary } from "../unit/image";
import { createDisc, deleteDisc } from "./resource";

const repository = resolve(__dirname, "../..");

/** `npm run host`, up to the end of the scope. */
async function startPlayground(...args: string[]) {
  const temporary = await mkdtemp(join(tmpdir(), "playground-"));
  const env = { ...process.env, TMPDIR: temporary };
  const script = ["--import", "tsx", "test/playground/playground.ts", ...args];
  const running = new RunningCommand(process.execPath, script, { cwd: repository, env });
  await running.waitFor(/^Press Ctrl-C/m);
  return {
    running,
    left: async () => (await readdir(temporary)).filter((name) => !/^(tsx-|node-compile-cache)/.test(name)),
    [Symbol.asyncDispose]: async () => {
      running.killGroup("SIGKILL");
      await running.done;
      await rm(temporary, { recursive: true, force: true });
    },
  };
}

const LINE = /^ {2}pulumi config set (?:--secret )?xen:(?<key>\S+) "?(?<value>[^"\n]*)"?$/gm;

/** What the printed lines set, a connection for each host. */
function configurationsIn(output: string): Record<string, string>[] {
  const hosts = output.split(/^Host /m).slice(1);
  return hosts.map((text) => {
    const lines = Array.from(text.matchAll(LINE), ({ groups = {} }) => groups);
    return Object.fromEntries(lines.map(({ key = "", value = "" }) => [key, value]));
  });
}

const discOn = ({ port, ...connection }: Record<string, string>) =>
  createDisc({
    isoPath: writeTemporary(imageBytes("#cloud-config")),
    owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
    connection: { ...connection, port: Number(port), dialErrorLimit: 1 },
  });

test("the printed configuration makes a disc on each host, the printed ssh line runs xe, Ctrl-C leaves nothing", async () => {
  await using playground = await startPlayground("--hosts", "2", "--vm", "web-1", "db-1", "--slow");
  const { output } = playground.running;
  const configurations = configurationsIn(output);
  expect(configurations).toHaveLength(2);
  for (const configuration of configurations) await deleteDisc(await discOn(configuration));

  const [, ssh = ""] = /^ {2}ssh (.*) xe sr-list$/m.exec(output) ?? [];
  const { stdout } = await promisify(execFile)("ssh", [...ssh.split(" "), "xe", "vm-list"]);
  expect(stdout).toMatch(/name-label .*: web-1\n[^]*name-label .*: db-1\n/);
  expect(output).toMatch(/^ {2}web-1 {2}[0-9a-f-]{36}$/m);
  const key = ssh.split(" ")[3] ?? "";
  expect(existsSync(key)).toBe(true);

  playground.running.killGroup("SIGINT");
  expect((await playground.running.done).status).toBe(0);
  expect(existsSync(dirname(key))).toBe(false);
  expect(await playground.left()).toEqual([]);
});

test("a fault befalls the next operation, a fault that does not exist is refused with those that do", async () => {
  await using playground = await startPlayground("--fault", "sr-create-fails");
  const [configuration = {}] = configurationsIn(playground.running.output);
  await expect(discOn(configuration)).rejects.toThrow(/SR_BACKEND_FAILURE_226/);
  await deleteDisc(await discOn(configuration));

  await expect(startPlayground("--fault", "nonsense")).rejects.toThrow(
    /Allowed choices are sr-create-fails,/,
  );
  await expect(startPlayground("--hosts", "0")).rejects.toThrow(/whole number from 1 to 64/);
});
