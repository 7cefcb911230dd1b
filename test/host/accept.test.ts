import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { RunningCommand } from "../engine/command";
import { isSshdAvailable, type SimulatedHost, startPool } from "../simulator";
import { writeTemporary } from "../unit/image";
import { nothing } from "./pool";

const repository = resolve(__dirname, "../..");

/** `npm run accept` against a simulated host. */
function startRun({ connection }: SimulatedHost, flags: readonly string[], env: NodeJS.ProcessEnv) {
  const { host, port, hostKey } = connection;
  const address = ["--host", host, "--port", String(port), "--host-key", hostKey];
  const script = ["--import", "tsx", "test/accept/accept.ts"];
  return new RunningCommand(process.execPath, [...script, ...address, "--yes", ...flags], {
    cwd: repository,
    env: { ...process.env, SSH_AUTH_SOCK: undefined, ...env },
  });
}

const withPassword = ({ connection }: SimulatedHost) => ({ XEN_PASSWORD: connection.password });

/** The lines of a report that are about checks, without their durations. */
function checksIn(report: string): string[] {
  return [...report.matchAll(/^(ok|FAILED|not run) +\d+ ms {2}(.*)$/gm)].map(([, outcome]) =>
    String(outcome),
  );
}

describe("the acceptance run passes", { timeout: 240_000 }, () => {
  test("on a host with a password, with a running VM", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const { vm, drives } = pool.xapi.addVm({ name: "web-1", powerState: "running" });
    const host = pool.coordinator;
    const { status, stdout, output } = await startRun(host, ["--vm", vm.uuid], withPassword(host)).done;
    expect(output).toMatch(/puts a disc into the empty CD drive of the VM/);
    expect(checksIn(stdout)).toEqual(Array(13).fill("ok"));
    expect(stdout).toContain("left on the host: nothing");
    expect(status).toBe(0);
    expect(drives).toMatchObject([{ empty: true }]);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test.runIf(isSshdAvailable())("behind a real sshd, with a key; the report names neither", async () => {
    await using pool = await startPool({ transport: "sshd" });
    const { host, privateKey } = pool.coordinator.connection;
    const keyFile = writeTemporary(Buffer.from(privateKey), "id_ed25519");
    const { status, stdout, output } = await startRun(pool.coordinator, ["--private-key-file", keyFile], {})
      .done;
    expect(checksIn(stdout)).toEqual(Array(12).fill("ok"));
    expect(stdout).toMatch(/^host: XCP-ng 8\.3\.0, SSH server OpenSSH_\d/m);
    expect(stdout).toMatch(/^upload of 64 MiB: \d+ ms \([\d.]+ MiB\/s\)$/m);
    expect(stdout).not.toContain(host);
    expect(output).not.toContain(privateKey.split("\n")[1]);
    expect(status).toBe(0);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test("a check that fails does not stop the others, and leaves nothing", { timeout: 240_000 }, async () => {
  await using pool = await startPool({ transport: "embedded" });
  const params = ["", "The SR is not available", ""];
  const effect = { kind: "fail", code: "SR_BACKEND_FAILURE_47", params } as const;
  pool.xapi.faults.push({ command: "sr-scan", times: 2, effect });
  const host = pool.coordinator;
  const { status, stdout } = await startRun(host, [], withPassword(host)).done;
  expect(checksIn(stdout)).toEqual([...Array(2).fill("FAILED"), ...Array(10).fill("ok")]);
  expect(stdout).toMatch(/xe sr-scan failed on <host>:\d+ \(SR_BACKEND_FAILURE_47\)/);
  expect(stdout).not.toContain(host.connection.host);
  expect(status).toBe(1);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("Ctrl-C ends the run once it has cleaned up", { timeout: 240_000 }, async () => {
  await using pool = await startPool({ transport: "embedded" });
  pool.xapi.latencyMs = 100;
  const run = startRun(pool.coordinator, [], withPassword(pool.coordinator));
  await run.waitFor(/^ok /m);
  while (pool.xapi.srs.length === 0) await new Promise((later) => setTimeout(later, 20));
  run.killGroup("SIGINT");
  const { status, stdout } = await run.done;
  expect(checksIn(stdout)).toContain("not run");
  expect(status).toBe(130);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("without an answer or --yes nothing is done", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const script = ["--import", "tsx", "test/accept/accept.ts", "--host", "127.0.0.1"];
  const run = new RunningCommand(process.execPath, script, { cwd: repository, env: process.env });
  expect(await run.done).toMatchObject({ status: 2, output: expect.stringContaining("add --yes") });
  expect(pool.coordinator.connections).toBe(0);
});
