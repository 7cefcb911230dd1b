import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { Client, type Connection, Server } from "ssh2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ping } from "../../../provider/ssh/ping";
import { generateKeyPair } from "../../simulator/transport/keys";

describe("ping", () => {
  const client = new Client();
  let connection: Connection;
  let server: Server;
  beforeAll(async () => {
    server = new Server({ hostKeys: [generateKeyPair().privateKey] }, (accepted) => {
      connection = accepted;
      accepted.on("authentication", (context) => context.accept());
      accepted.on("error", () => undefined);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    client.on("error", () => undefined).connect({ host: "127.0.0.1", port, username: "root" });
    await once(client, "ready");
  });
  afterAll(() => {
    client.end();
    server.close();
  });

  it("takes a refusal for an answer, and answers in order", async () => {
    const answers: number[] = [];
    ping(client, () => answers.push(1));
    await new Promise<void>((resolve) => {
      ping(client, () => {
        answers.push(2);
        resolve();
      });
    });
    expect(answers).toEqual([1, 2]);
  });

  it("never takes the end of the link for an answer", async () => {
    let isAnswered = false;
    const closed = once(client, "close");
    connection.end();
    ping(client, () => (isAnswered = true));
    await closed;
    expect(isAnswered).toBe(false);
  });
});
