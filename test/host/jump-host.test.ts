import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, Server, type ServerChannel } from "ssh2";
import { expect, test } from "vitest";
import { connect } from "../../provider/ssh/connect";
import type { SshTarget } from "../../provider/ssh/target";
import { Proxy } from "../simulator/proxy";
import { keygen } from "../ssh/keys";

const hostKey = keygen("-t", "ed25519");

const to = (port: number, more: Partial<SshTarget> = {}): SshTarget => ({
  host: "127.0.0.1",
  port,
  user: "root",
  password: "jump",
  hostKey: hostKey.publicKey,
  dialErrorLimit: 1,
  perDialTimeout: 1,
  ...more,
});

/** A request to forward a connection, as a jump host gets it. */
interface Request {
  readonly accept: () => ServerChannel;
  /** Refuses with a reason of RFC 4254, section 5.1. */
  readonly refuse: (reason: number, words?: string) => void;
}

/** A jump host that takes each login and does with each request what the test says. */
async function startJump(
  onRequest: (request: Request) => unknown,
  onReady: (socket: Socket) => void = () => undefined,
) {
  const sockets: Socket[] = [];
  const server = new Server({ hostKeys: [hostKey.privateKey] }, (client) => {
    client.on("error", () => undefined);
    client.on("authentication", (context) => {
      if (context.method === "password") context.accept();
      else context.reject(["password"]);
    });
    client.on("ready", () => onReady(sockets.at(-1) as Socket));
    client.on("tcpip", (accept) => onRequest({ accept, refuse: refuser(client) }));
  });
  const { _srv: inner } = server as unknown as {
    _srv: { on(event: string, each: (socket: Socket) => void): void };
  };
  inner.on("connection", (socket) => sockets.push(socket));
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    host: "127.0.0.1",
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** ssh2's own refusal has always the same reason. */
function refuser(client: Connection): Request["refuse"] {
  const { _protocol: protocol } = client as unknown as {
    _protocol: { channelOpenFail(channel: number, reason: number, words: string): void };
  };
  return (reason, words = "") => protocol.channelOpenFail(0, reason, words);
}

test.each([
  [1, "open failed", "FORWARDING_REFUSED"],
  [2, "Connection refused", "UNREACHABLE"],
  [2, "Temporary failure in name resolution", "DIAL_FAILED"],
  [3, "unknown channel type", "FORWARDING_REFUSED"],
  [4, "resource shortage", "DIAL_FAILED"],
])("a jump host that refuses with reason %i, %s, is %s", async (reason, words, code) => {
  await using jump = await startJump(({ refuse }) => refuse(reason, words));
  const login = connect(to(22, { proxy: to(jump.port) }));
  await expect(login).rejects.toMatchObject({ code });
  await expect(login).rejects.toThrow(words);
});

test("a host is silent if its jump host still answers", async () => {
  await using jump = await startJump(() => undefined);
  const login = connect(to(22, { proxy: to(jump.port) }));
  await expect(login).rejects.toMatchObject({ code: "UNREACHABLE", host: "127.0.0.1:22" });
});

test("a jump host that goes silent after its login is not taken for the host behind it", async () => {
  await using jump = await startJump(() => (way.faults.stallAfterBytes = 0));
  await using way = await Proxy.start(jump);
  const login = connect(to(22, { proxy: to(way.port) }));
  await expect(login).rejects.toMatchObject({ code: "JUMP_HOST_UNREACHABLE", host: `127.0.0.1:${way.port}` });
});

test("a forwarded connection that comes too late is closed at once", async () => {
  const events: string[] = [];
  let requests = 0;
  await using jump = await startJump(async ({ accept, refuse }) => {
    if (++requests === 2) {
      await sleep(900);
      events.push("the next try ends");
      refuse(2);
      return;
    }
    await sleep(1_300);
    const stream = accept();
    stream.resume().on("close", () => events.push("the late one is closed"));
  });
  await expect(connect(to(22, { proxy: to(jump.port), dialErrorLimit: 2 }))).rejects.toThrow();
  expect(events).toEqual(["the late one is closed", "the next try ends"]);
});

test("a jump host that breaks off right after its login is a lost connection, and is tried again", async () => {
  let logins = 0;
  await using jump = await startJump(
    () => undefined,
    (socket) => {
      logins++;
      socket.resetAndDestroy();
    },
  );
  const login = connect(to(22, { proxy: to(jump.port), dialErrorLimit: 3 }));
  await expect(login).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  expect(logins).toBe(3);
});
