import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PacketSocket } from "../../../provider/ssh/packet-socket";

describe("PacketSocket", () => {
  let server: Server;
  let received: Promise<Buffer>;
  beforeAll(async () => {
    server = createServer((socket) => {
      received = buffer(socket);
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
  });
  afterAll(() => server.close());

  const connected = async () => {
    const socket = new PacketSocket().connect((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    return socket;
  };

  const packet = (text: string) => Buffer.alloc(40_000, text);
  const sent = (socket: PacketSocket, data: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      socket.write(data, (error) => (error ? reject(error) : resolve()));
    });

  it("frees what it has written, and no earlier", async () => {
    const socket = await connected();
    const [one, two, three] = [packet("1"), packet("2"), packet("3")];
    await sent(socket, one);
    expect(one.buffer.byteLength).toBe(0);

    // Several at once go another way.
    socket.cork();
    const writing = Promise.all([sent(socket, two), sent(socket, three)]);
    expect(two.buffer.byteLength).toBe(40_000);
    socket.uncork();
    await writing;
    expect([two.buffer.byteLength, three.buffer.byteLength]).toEqual([0, 0]);

    socket.end();
    await once(socket, "close");
    expect((await received).equals(Buffer.concat([packet("1"), packet("2"), packet("3")]))).toBe(true);
  });

  it("leaves a part of a buffer alone, of which others have the rest", async () => {
    const socket = await connected();
    const whole = packet("4");
    const small = Buffer.from("small");
    await sent(socket, whole.subarray(0, 20_000));
    await sent(socket, small);
    expect(String(small)).toBe("small");
    expect(whole.equals(packet("4"))).toBe(true);

    socket.end();
    await once(socket, "close");
    expect((await received).toString()).toBe(`${"4".repeat(20_000)}small`);
  });

  it("frees what was lost with the link", async () => {
    const socket = await connected();
    const lost = packet("5");
    const writing = sent(socket, lost);
    socket.destroy(new Error("The link is lost."));
    socket.on("error", () => undefined);
    await expect(writing.then(() => "sent", String)).resolves.toMatch(/sent|The link is lost/);
    await expect.poll(() => lost.buffer.byteLength).toBe(0);
  });
});
