import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../../provider/ssh/connect";
import { sh } from "../../provider/ssh/sh";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import type { SshTarget } from "../../provider/ssh/target";
import { startPool } from "../simulator";
import { Proxy } from "../simulator/proxy";
import { type KeyFile, keygen, staleAgent, startAgent } from "../ssh/keys";
import { PASSWORD, Sshd } from "../ssh/sshd";
import { argumentsFor, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";
import { targetOf } from "./target";

const options = { purpose: "greet", timeoutMs: 20_000 };

let hostKey: KeyFile;
let userKey: KeyFile;
const agents: ChildProcess[] = [];

beforeAll(() => {
  hostKey = keygen("-t", "ed25519");
  userKey = keygen("-t", "ed25519");
});
afterAll(() => {
  for (const agent of agents) agent.kill();
});

const start = (...config: readonly string[]) =>
  Sshd.start({ hostKeys: [hostKey.privateKey], authorizedKeys: [userKey.publicKey], config });

const to = (port: number, more: Partial<SshTarget> = {}): SshTarget => ({
  host: "127.0.0.1",
  port,
  user: "root",
  hostKey: hostKey.publicKey,
  dialErrorLimit: 4,
  perDialTimeout: 5,
  ...more,
});

const greet = (target: SshTarget) => SharedConnection.to(target).exec(sh`echo hello`, options);

test("a wrong password beside an agent that has ended is sent once, over one connection", async () => {
  await using sshd = await start();
  const target = to(sshd.port, {
    password: "wrong",
    agentSocketPath: await staleAgent(),
    dialErrorLimit: 10,
  });
  await expect(greet(target)).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
  await expect(greet(target)).rejects.toThrow(/tried: password; the SSH agent cannot be used/);
  await sshd.settle();
  expect(sshd.connections).toBe(1);
  expect(sshd.failedPasswords).toBe(1);
});

test("a wrong password is sent by one of two methods", async () => {
  await using sshd = await Sshd.start({
    hostKeys: [hostKey.privateKey],
    authorizedKeys: [],
    usePam: true,
    config: ["KbdInteractiveAuthentication yes"],
  });
  await expect(greet(to(sshd.port, { password: "wrong" }))).rejects.toMatchObject({
    code: "AUTHENTICATION_FAILED",
  });
  expect(sshd.failedPasswords).toBe(1);
});

test("a wrong key is offered once", async () => {
  await using sshd = await start();
  const login = greet(to(sshd.port, { privateKey: keygen("-t", "ed25519").privateKey }));
  await expect(login).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
  await sshd.settle();
  expect(sshd.failedKeys).toBe(1);
});

test("an agent that has ended is said to be unusable where nothing else is there, and tried once", async () => {
  await using sshd = await start();
  const target = to(sshd.port, { agentSocketPath: await staleAgent(), dialErrorLimit: -1 });
  await expect(greet(target)).rejects.toMatchObject({ code: "AGENT_FAILED" });
  expect(sshd.connections).toBe(1);
});

test("an agent with too many keys is told how many, and how to choose one", async () => {
  await using sshd = await start();
  const keys = Array.from({ length: 7 }, () => keygen("-t", "ed25519"));
  const target = to(sshd.port, { agentSocketPath: await startAgent(keys, agents), dialErrorLimit: -1 });
  const login = greet(target);
  await expect(login).rejects.toMatchObject({ code: "TOO_MANY_FAILURES" });
  await expect(login).rejects.toThrow(/The agent holds 7 keys.*ssh-add -d/);
  expect(sshd.connections).toBe(1);
});

test.each([
  [
    "KexAlgorithms",
    "sntrup761x25519-sha512@openssh.com",
    /no key exchange algorithm in common.*curve25519-sha256.*sntrup/,
  ],
  ["Ciphers", "3des-cbc", /no cipher in common.*aes128-gcm.*3des-cbc/],
])(
  "without a common algorithm of %s it says what each side offers, after one try",
  async (option, name, message) => {
    await using sshd = await start(`${option} ${name}`);
    const login = greet(to(sshd.port, { password: PASSWORD, dialErrorLimit: -1 }));
    await expect(login).rejects.toMatchObject({ code: "NO_COMMON_ALGORITHM" });
    await expect(login).rejects.toThrow(message);
    expect(sshd.connections).toBe(1);
  },
);

test("an accepted key is named when the host wants a password too", async () => {
  await using sshd = await start("AuthenticationMethods publickey,password");
  const login = greet(to(sshd.port, { privateKey: userKey.privateKey }));
  await expect(login).rejects.toThrow(/privateKey accepted; the host also wants: password/);
});

test("a jump host shares one budget of tries with the host behind it", async () => {
  await using jump = await start();
  await using dead = await Proxy.start({ host: "127.0.0.1", port: 1 }, { refuseConnections: 1_000 });
  const proxy = to(jump.port, { password: PASSWORD });
  await expect(greet(to(1, { password: PASSWORD, proxy }))).rejects.toMatchObject({ code: "UNREACHABLE" });
  expect(jump.connections).toBe(1);
  const through = to(jump.port, { password: PASSWORD, proxy: to(dead.port, { password: PASSWORD }) });
  const login = greet(through);
  await expect(login).rejects.toThrow(/^Jump host: /);
  expect(dead.connections).toHaveLength(4);
}, 60_000);

test("a silent jump host does not count as a host that is gone", async () => {
  const login = greet(
    to(22, { password: PASSWORD, dialErrorLimit: 1, proxy: to(1, { password: PASSWORD }) }),
  );
  await expect(login).rejects.toMatchObject({ code: "JUMP_HOST_UNREACHABLE" });
});

test("the connection to a jump host ends with the one behind it", async () => {
  await using jump = await start();
  await using target = await start();
  const way = await connect(
    to(target.port, { password: PASSWORD, proxy: to(jump.port, { password: PASSWORD }) }),
  );
  expect(await openConnections(jump.port)).toBe(1);
  // The link is lost, nobody closes it.
  way.client.destroy();
  for (let tries = 0; tries < 50 && (await openConnections(jump.port)) > 0; tries++) await sleep(100);
  expect(await openConnections(jump.port)).toBe(0);
});

test("something that is not SSH is named, after one try", async () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on("error", () => undefined);
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const login = greet(to(port, { password: PASSWORD, dialErrorLimit: -1 }));
  await expect(login).rejects.toMatchObject({ code: "NOT_SSH" });
  await expect(login).rejects.toThrow(/says "HTTP\/1\.1 400/);
  expect(connections).toBe(1);
  server.close();
});

test.each([1, 3])(
  "MaxSessions %i: commands that hold their channel for long do not make others fail",
  async (most) => {
    await using sshd = await start(`MaxSessions ${most}`);
    const host = SharedConnection.to(to(sshd.port, { password: PASSWORD }));
    const holding = Array.from({ length: 4 }, () => host.exec(sh`sleep 4`, options));
    const quick = Array.from({ length: 4 }, () => host.exec(sh`echo hello`, options));
    expect((await Promise.all([...holding, ...quick])).map(({ status }) => status)).toEqual(Array(8).fill(0));
  },
  60_000,
);

test.each([1, 3])(
  "MaxSessions %i: an urgent command does not wait for those that hold all sessions",
  async (most) => {
    await using sshd = await start(`MaxSessions ${most}`);
    const host = SharedConnection.to(to(sshd.port, { password: PASSWORD }));
    let ended = 0;
    const holding = Array.from({ length: most }, () =>
      host.exec(sh`sleep 4`, options).finally(() => ended++),
    );
    await sleep(500);
    const urgent = Array.from({ length: 2 }, () => host.exec(sh`true`, { ...options, isUrgent: true }));
    await Promise.all(urgent);
    expect(ended).toBe(0);
    expect(sshd.connections).toBe(2);
    await Promise.all(holding);
  },
);

test("MaxSessions 3: once that is known, one session stays free for urgent commands", async () => {
  await using sshd = await start("MaxSessions 3");
  const host = SharedConnection.to(to(sshd.port, { password: PASSWORD }));
  await Promise.all(Array.from({ length: 4 }, () => host.exec(sh`sleep 2`, options)));
  const holding = Array.from({ length: 3 }, () => host.exec(sh`sleep 2`, options));
  await sleep(500);
  await host.exec(sh`true`, { ...options, isUrgent: true });
  expect(sshd.connections).toBe(1);
  await Promise.all(holding);
});

test.each([
  ["MaxSessions 0", "CHANNEL_REFUSED", /MaxSessions/],
  ["ForceCommand echo not for you", "NO_SHELL", /runs no command.*The host said: not for you/],
])("%s: a login that runs nothing is a plain error, and nothing was run", async (config, code, message) => {
  await using sshd = await start(config);
  const host = SharedConnection.to(to(sshd.port, { password: PASSWORD }));
  const command = host.exec(sh`echo hello`, options);
  await expect(command).rejects.toMatchObject({ code });
  await expect(command).rejects.toThrow(message);
  expect(host.hasRun).toBe(false);
});

test("what a trap in .bashrc prints at the end does not change the exit status", async () => {
  await using pool = await startPool({ transport: "sshd", bashrc: "trap 'echo bye; echo 5' EXIT\n" });
  const { privateKey } = pool.coordinator.connection;
  const host = SharedConnection.to(targetOf(pool.coordinator, { privateKey }));
  await expect(host.exec(sh`echo hello; exit 7`, options)).resolves.toMatchObject({
    status: 7,
    stdout: "hello\n",
  });
});

test("a create on a host whose shell runs nothing stores nothing", async () => {
  await setConfiguration();
  await using sshd = await start("ForceCommand echo not for you");
  await using pool = await startPool({ transport: "embedded" });
  const args = argumentsFor(pool.coordinator);
  const connection = { host: "127.0.0.1", port: sshd.port, password: PASSWORD, hostKey: hostKey.publicKey };
  const create = createDisc({ ...args, connection });
  await expect(create).rejects.toThrow(/runs no command/);
  await expect(create).rejects.not.toThrow(/undone/);
  await expect(create).rejects.not.toMatchObject({ id: expect.anything() as unknown });
});

test("create, read and delete of one run share a connection", async () => {
  await setConfiguration();
  await using pool = await startPool({ transport: "sshd" });
  const state = await createDisc(argumentsFor(pool.coordinator));
  await readDisc(state);
  await deleteDisc(state);
  expect(pool.coordinator.connections).toBe(1);
});

/** Established connections to a port on loopback, as the kernel lists them. */
async function openConnections(port: number): Promise<number> {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const lines = (await readFile("/proc/net/tcp", "utf8")).split("\n");
  return lines.filter((line) => new RegExp(`^ *\\d+: \\S+ \\S+:${hex} 01 `).test(line)).length;
}
