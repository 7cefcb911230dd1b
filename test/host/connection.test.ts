import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { utils } from "ssh2";
import { expect, test, vi } from "vitest";
import { connect as connectTo } from "../../provider/ssh/connect";
import { exec } from "../../provider/ssh/exec";
import { sh } from "../../provider/ssh/sh";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import type { SshTarget } from "../../provider/ssh/target";
import { type SimulatedHost, startPool } from "../simulator";
import { Proxy } from "../simulator/proxy";
import { targetOf } from "./target";

const options = { purpose: "greet", timeoutMs: 10_000 };

async function greet(target: SshTarget): Promise<string> {
  return (await SharedConnection.to(target).exec(sh`echo hello`, options)).stdout.trim();
}

test.each(["embedded", "sshd"] as const)(
  "%s: a private key logs in, also an encrypted one",
  async (transport) => {
    await using pool = await startPool({ transport });
    const { privateKey } = pool.coordinator.connection;
    expect(await greet(targetOf(pool.coordinator, { privateKey }))).toBe("hello");
    const encrypted = encrypt(privateKey, "s3cret");
    const target = targetOf(pool.coordinator, { privateKey: encrypted, privateKeyPassword: "s3cret" });
    expect(await greet(target)).toBe("hello");
  },
);

test("a password logs in by the password method", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { password } = pool.coordinator.connection;
  expect(await greet(targetOf(pool.coordinator, { password }))).toBe("hello");
});

test.each(["embedded", "sshd"] as const)(
  "%s: a password logs in by keyboard-interactive",
  async (transport) => {
    await using pool = await startPool({ transport, passwordMethod: "keyboard-interactive" });
    const { password } = pool.coordinator.connection;
    expect(await greet(targetOf(pool.coordinator, { password }))).toBe("hello");
  },
);

test("an agent logs in", async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using agent = await startAgent(pool.coordinator.connection.privateKey);
  const { agentSocketPath } = agent;
  expect(await greet(targetOf(pool.coordinator, { agentSocketPath }))).toBe("hello");
});

test("a key that is not wanted does not stand in the way of a password that is", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { password } = pool.coordinator.connection;
  const { private: privateKey } = utils.generateKeyPairSync("ed25519");
  expect(await greet(targetOf(pool.coordinator, { privateKey, password }))).toBe("hello");
});

test("a host is reached through a jump host, each with its own key checked", async () => {
  await using pool = await startPool({ transport: "sshd", hosts: 2 });
  const [jump, host] = pool.hosts as [SimulatedHost, SimulatedHost];
  const { privateKey } = jump.connection;
  const proxy = targetOf(jump, { privateKey });
  const credentials = { privateKey: host.connection.privateKey };
  expect(await greet(targetOf(host, { ...credentials, proxy }))).toBe("hello");
  expect(jump.connections).toBe(1);

  const elsewhere = targetOf(host, { ...credentials, proxy, hostKey: jump.connection.hostKey });
  await expect(greet(elsewhere)).rejects.toMatchObject({ code: "HOST_KEY_MISMATCH" });
  const throughAnother = targetOf(host, {
    ...credentials,
    proxy: { ...proxy, hostKey: host.connection.hostKey },
  });
  await expect(greet(throughAnother)).rejects.toMatchObject({ code: "HOST_KEY_MISMATCH" });
});

test("a jump host that cannot reach the host says so", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { privateKey } = pool.coordinator.connection;
  const proxy = targetOf(pool.coordinator, { privateKey });
  const target = { ...proxy, port: 1, dialErrorLimit: 1, proxy };
  await expect(greet(target)).rejects.toThrow(/The jump host 127\.0\.0\.1:\d+ cannot reach 127\.0\.0\.1:1\./);
});

test("a host is reached by its IPv6 address", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { port, privateKey } = pool.coordinator.connection;
  const server = createServer((client) => {
    // However it ends, it ends on both sides.
    pipeline(client, connect(port, "127.0.0.1"), client, () => undefined);
  });
  server.listen(0, "::1");
  await once(server, "listening");
  const target = targetOf(pool.coordinator, { privateKey });
  expect(await greet({ ...target, host: "::1", port: (server.address() as AddressInfo).port })).toBe("hello");
  server.close();
});

test("known_hosts decides where no key is set", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { connection } = pool.coordinator;
  const { hostKey: _, ...target } = targetOf(pool.coordinator, { privateKey: connection.privateKey });
  const home = process.env["HOME"];
  process.env["HOME"] = mkdtempSync(join(tmpdir(), "home-"));
  try {
    await expect(greet(target)).rejects.toMatchObject({ code: "HOST_KEY_UNKNOWN" });
    const folder = join(process.env["HOME"], ".ssh");
    execFileSync("mkdir", ["-m", "700", folder]);
    writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${connection.port} ${connection.hostKey}\n`);
    expect(await greet(target)).toBe("hello");
  } finally {
    process.env["HOME"] = home;
  }
});

test("a hundred commands at once share one connection, within MaxSessions", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { privateKey } = pool.coordinator.connection;
  const target = targetOf(pool.coordinator, { privateKey });
  const greetings = await Promise.all(Array.from({ length: 100 }, () => greet(target)));
  expect(greetings).toEqual(Array(100).fill("hello"));
  expect(pool.coordinator.connections).toBe(1);
});

test("an urgent command runs while nine others hold every channel that is shared", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { privateKey } = pool.coordinator.connection;
  const host = SharedConnection.to(targetOf(pool.coordinator, { privateKey }));
  const holding = Array.from({ length: 12 }, () => host.exec(sh`sleep 3`, { ...options, purpose: "wait" }));
  await sleep(500);
  const startedAt = performance.now();
  await host.exec(sh`true`, { ...options, isUrgent: true });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
  await Promise.all(holding);
});

test("forty connections at once get through sshd's MaxStartups, which drops some at random", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { password } = pool.coordinator.connection;
  // Each logs in in its own way, so that each has a connection of its own.
  const targets = Array.from({ length: 40 }, (_, index) =>
    targetOf(pool.coordinator, { password, dialErrorLimit: 10, perDialTimeout: 20 + index }),
  );
  expect(await Promise.all(targets.map(greet))).toEqual(Array(40).fill("hello"));
  expect(pool.coordinator.connections).toBe(40);
});

test("a connection that was lost is opened anew by the next command", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { privateKey } = pool.coordinator.connection;
  const host = SharedConnection.to(targetOf(pool.coordinator, { privateKey, dialErrorLimit: 10 }));
  const hanging = host.exec(sh`sleep 60`, { purpose: "sleep", timeoutMs: 60_000 });
  await sleep(300);
  const lost = expect(hanging).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  await pool.coordinator.stopSshd();
  await lost;
  await pool.coordinator.startSshd();
  expect((await host.exec(sh`echo hello`, options)).stdout).toBe("hello\n");
});

test("many commands that find the connection lost open one anew, not one each", async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using proxy = await Proxy.start(pool.coordinator.connection);
  const { privateKey } = pool.coordinator.connection;
  const target = { ...targetOf(pool.coordinator, { privateKey }), port: proxy.port };
  expect(await greet(target)).toBe("hello");
  proxy.dropAll();
  await sleep(200);
  const greetings = await Promise.all(Array.from({ length: 20 }, () => greet(target)));
  expect(greetings).toEqual(Array(20).fill("hello"));
  expect(proxy.connections).toHaveLength(2);
});

test("a command on a link that breaks at that moment is told so", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { privateKey } = pool.coordinator.connection;
  const connection = await connectTo(targetOf(pool.coordinator, { privateKey }));
  // The socket is gone at once, its close is told later.
  connection.client.destroy();
  expect(connection.lost.aborted).toBe(false);
  await expect(exec(connection, sh`echo hello`, options)).rejects.toMatchObject({ code: "CONNECTION_LOST" });
});

/** Told from every other by its length. */
const LIMIT_MS = 591_000;

test("a command whose link breaks while its input is sent leaves no time limit behind", async () => {
  await using pool = await startPool({ transport: "sshd" });
  await using proxy = await Proxy.start(pool.coordinator.connection);
  const { privateKey } = pool.coordinator.connection;
  const target = { ...targetOf(pool.coordinator, { privateKey }), port: proxy.port };
  const set = vi.spyOn(globalThis, "setTimeout");
  const cleared = vi.spyOn(globalThis, "clearTimeout");
  const input = async function* () {
    yield Buffer.alloc(1024);
    proxy.dropAll();
    await sleep(500);
  };
  const sending = SharedConnection.to(target).exec(sh`cat`, {
    ...options,
    timeoutMs: LIMIT_MS,
    input,
  });
  await expect(sending).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  await sleep(1_000);
  const lifted = new Set<unknown>(cleared.mock.calls.flat());
  const limits = set.mock.results.filter((_, index) => set.mock.calls[index]?.[1] === LIMIT_MS);
  expect(limits.filter(({ value }) => !lifted.has(value))).toHaveLength(0);
  vi.restoreAllMocks();
});

test("a command that does not end is given up", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { privateKey } = pool.coordinator.connection;
  const host = SharedConnection.to(targetOf(pool.coordinator, { privateKey }));
  const hanging = host.exec(sh`sleep 60`, { purpose: "wait", timeoutMs: 300 });
  await expect(hanging).rejects.toMatchObject({ code: "COMMAND_TIMED_OUT" });
  await expect(hanging).rejects.toThrow(/did not go on within 0\.3 s \(to wait\)/);
});

test("status, output and errors of a command come back as they are, apart from the shell's noise", async () => {
  await using pool = await startPool({ transport: "sshd", bashrc: "echo noise; echo noise >&2\n" });
  const { privateKey } = pool.coordinator.connection;
  const host = SharedConnection.to(targetOf(pool.coordinator, { privateKey }));
  const script = sh`printf 'no newline'; printf 'oops' >&2; exit 7`;
  await expect(host.exec(script, options)).resolves.toEqual({
    status: 7,
    stdout: "no newline",
    stderr: "oops",
    noise: "noise\n",
  });
});

/** ssh2 writes no encrypted keys of its own making from a given one; ssh-keygen does. */
function encrypt(privateKey: string, passphrase: string): string {
  const path = join(mkdtempSync(join(tmpdir(), "key-")), "key");
  writeFileSync(path, privateKey, { mode: 0o600 });
  execFileSync("ssh-keygen", ["-q", "-p", "-P", "", "-N", passphrase, "-f", path]);
  return execFileSync("cat", [path], { encoding: "utf8" });
}

async function startAgent(privateKey: string) {
  const folder = mkdtempSync(join(tmpdir(), "agent-"));
  const agentSocketPath = join(folder, "socket");
  const keyPath = join(folder, "key");
  writeFileSync(keyPath, privateKey, { mode: 0o600 });
  const agent = spawn("ssh-agent", ["-D", "-a", agentSocketPath], { stdio: "ignore" });
  while (!existsSync(agentSocketPath)) await sleep(20);
  execFileSync("ssh-add", ["-q", keyPath], { env: { ...process.env, SSH_AUTH_SOCK: agentSocketPath } });
  return {
    agentSocketPath,
    [Symbol.asyncDispose]: () => {
      agent.kill();
      return Promise.resolve();
    },
  };
}
