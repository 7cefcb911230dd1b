import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ParsedKey, utils } from "ssh2";
import { expect, test } from "vitest";
import { listAgentKeys, SingleKeyAgent } from "../../../provider/ssh/agent";
import { keygen, startAgent } from "../../ssh/keys";

const keyOf = (path: string) => utils.parseKey(`${path}\n`) as ParsedKey;

test("an agent that is asked and does not answer is left, and its connection closed", async () => {
  const socketPath = join(mkdtempSync(join(tmpdir(), "agent-")), "socket");
  const server = createServer().listen(socketPath);
  const asked = once(server, "connection") as Promise<[Socket]>;
  const key = keyOf(keygen("-t", "ed25519").publicKey);
  const agent = new SingleKeyAgent(socketPath, key);
  expect(agent.stop()).toBe(false);
  const refused = new Promise((resolve) => agent.sign(key, Buffer.from("data"), resolve));
  const [socket] = await asked;
  await once(socket, "data");
  expect(agent.stop()).toBe(true);
  await expect(refused).resolves.toBeInstanceOf(Error);
  await once(socket.resume(), "close");
  expect(agent.stop()).toBe(false);
  server.close();
});

test("an agent that has signed is asked no more", async () => {
  const agents: Parameters<typeof startAgent>[1] = [];
  const socketPath = await startAgent([keygen("-t", "ed25519")], agents);
  const [key] = (await listAgentKeys(socketPath)).usable;
  const agent = new SingleKeyAgent(socketPath, key!);
  const signature = await new Promise((resolve, reject) => {
    agent.sign(key!, Buffer.from("data"), (error, signed) => (error ? reject(error) : resolve(signed)));
  });
  expect(signature).toBeInstanceOf(Buffer);
  await expect.poll(() => agent.stop()).toBe(false);
  for (const each of agents) each.kill();
});
