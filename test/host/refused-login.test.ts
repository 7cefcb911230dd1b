import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { Server } from "ssh2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { logInTo, rememberCredentials } from "../../provider/lifecycle/credentials";
import { sh } from "../../provider/ssh/sh";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import type { SshTarget } from "../../provider/ssh/target";
import { type KeyFile, keygen, startAgent } from "../ssh/keys";
import { PASSWORD, Sshd, type SshdOptions } from "../ssh/sshd";

const options = { purpose: "greet", timeoutMs: 20_000 };

let hostKey: KeyFile;
let wrongKey: KeyFile;
const agents: ChildProcess[] = [];

beforeAll(() => {
  hostKey = keygen("-t", "ed25519");
  wrongKey = keygen("-t", "ed25519");
});
afterAll(() => {
  for (const agent of agents) agent.kill();
});

const start = (more: Partial<SshdOptions> = {}) =>
  Sshd.start({ hostKeys: [hostKey.privateKey], authorizedKeys: [], ...more });

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

const codesOf = async (attempts: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(attempts)).map((each) =>
    each.status === "rejected" ? (each.reason as { code?: string }).code : "in",
  );

/** A connection as a program and a state have it. */
const connectionTo = (port: number, more: object = {}) => ({
  host: "127.0.0.1",
  port,
  hostKey: hostKey.publicKey,
  sshConfig: false as const,
  dialErrorLimit: 1,
  ...more,
});

test("fourteen operations with a wrong password make one login, and those that come later none", async () => {
  await using sshd = await start();
  const target = to(sshd.port, { password: "wrong" });
  const codes = await codesOf(Array.from({ length: 14 }, () => greet(target)));
  codes.push(...(await codesOf([greet(target)])));
  expect(codes).toEqual(Array(15).fill("AUTHENTICATION_FAILED"));
  await sshd.settle();
  expect(sshd.failedPasswords).toBe(1);
  expect(sshd.connections).toBe(1);
});

test("operations that wait for a host that does not answer fail together with it", async () => {
  const connections: unknown[] = [];
  const server = createServer((socket) => {
    connections.push(socket);
    socket.on("error", () => undefined).destroy();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const target = to((server.address() as AddressInfo).port, { password: PASSWORD, dialErrorLimit: 2 });
  const waiting = await codesOf(Array.from({ length: 14 }, () => greet(target)));
  expect(waiting).toEqual(Array(14).fill("LOGIN_INTERRUPTED"));
  expect(connections).toHaveLength(2);
  // It has not refused anything, so the next one asks again.
  await codesOf([greet(target)]);
  expect(connections).toHaveLength(4);
  server.close();
});

test("a password of the program that is also the stored one is sent once", async () => {
  await using sshd = await start();
  const connection = connectionTo(sshd.port, { password: "wrong" });
  rememberCredentials(connection);
  await expect(logInTo(connection)).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
  await sshd.settle();
  expect(sshd.failedPasswords).toBe(1);
  expect(sshd.connections).toBe(1);
});

test("where the program has another password than the state, the keys of the agent are offered once", async () => {
  await using sshd = await start();
  const agentSocketPath = await startAgent([wrongKey], agents);
  rememberCredentials(connectionTo(sshd.port, { password: "new", agentSocketPath }));
  const host = await logInTo(connectionTo(sshd.port, { password: "old", agentSocketPath }));
  await expect(host.exec(sh`echo hello`, options)).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
  await sshd.settle();
  expect(sshd.failedPasswords).toBe(2);
  expect(sshd.failedKeys).toBe(1);
});

test("an accepted key is offered again beside the stored password, as the host wants both", async () => {
  await using sshd = await start({
    authorizedKeys: [wrongKey.publicKey],
    config: ["AuthenticationMethods publickey,password"],
  });
  const { privateKey } = wrongKey;
  rememberCredentials(connectionTo(sshd.port, { password: "new", privateKey }));
  const host = await logInTo(connectionTo(sshd.port, { password: PASSWORD, privateKey }));
  expect((await host.exec(sh`echo hello`, options)).stdout).toBe("hello\n");
});

test("a jump host that refuses the login is asked once", async () => {
  await using jump = await start();
  const proxy = connectionTo(jump.port, { password: "wrong" });
  rememberCredentials(connectionTo(1, { password: "new", proxy }));
  const login = logInTo(connectionTo(1, { password: PASSWORD, proxy }));
  await expect(login).rejects.toMatchObject({ code: "AUTHENTICATION_FAILED" });
  await expect(login).rejects.toThrow(/^Jump host: /);
  await jump.settle();
  expect(jump.failedPasswords).toBe(1);
});

test("an account that PAM keeps out is told so, with the host's words, after one try", async () => {
  await using sshd = await start({
    usePam: true,
    pam: [
      "auth required pam_unix.so",
      "account required pam_echo.so the_account_is_closed",
      "account required pam_deny.so",
    ],
  });
  const login = greet(to(sshd.port, { password: PASSWORD, dialErrorLimit: -1 }));
  await expect(login).rejects.toMatchObject({ code: "LOGIN_ENDED" });
  await expect(login).rejects.toThrow(
    /ended without an answer once password was offered.*pam_access.*The host said: the_account_is_closed/,
  );
  await sshd.settle();
  expect(sshd.connections).toBe(1);
});

/** An SSH server that ends each connection at a moment of the login. */
async function endingServer(at: "first question" | "password", how: "end" | "reset") {
  let count = 0;
  const sockets: { end(): unknown; resetAndDestroy(): unknown }[] = [];
  const server = new Server({ hostKeys: [hostKey.privateKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      if (at === "password" && context.method === "none") return context.reject(["password"]);
      const socket = sockets.at(-1);
      if (how === "end") socket?.end();
      else socket?.resetAndDestroy();
    });
  });
  const inner = server as unknown as { _srv: { on(event: string, listener: (socket: never) => void): void } };
  inner._srv.on("connection", (socket) => {
    count++;
    sockets.push(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => count,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

test.each(["end", "reset"] as const)(
  "a connection that ends (%s) before a credential was offered is tried again",
  async (how) => {
    await using server = await endingServer("first question", how);
    const login = greet(to(server.port, { password: PASSWORD, dialErrorLimit: 3 }));
    await expect(login).rejects.toMatchObject({ code: "LOGIN_INTERRUPTED" });
    expect(server.connections()).toBe(3);
  },
);

test.each(["end", "reset"] as const)(
  "a password under way when the connection ends (%s) is not sent again",
  async (how) => {
    await using server = await endingServer("password", how);
    const login = greet(to(server.port, { password: PASSWORD, dialErrorLimit: -1 }));
    await expect(login).rejects.toMatchObject({ code: "LOGIN_ENDED" });
    await expect(login).rejects.toThrow(/once password was offered for root/);
    expect(server.connections()).toBe(1);
  },
);
