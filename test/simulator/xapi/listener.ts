import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Xapi, XeReply } from "./xapi";

/**
 * Where the `xe` scripts of a pool's hosts reach its toolstack: a loopback port. A question is five texts
 * (token, UUID of the host, `XE_EXTRA_ARGS`, `~/.xe`, words), an answer three (status, standard output,
 * standard error), each ended by a NUL, which is the one character that no shell variable can hold.
 */
export class XapiListener {
  /** Tells this pool's hosts from anybody else on this machine. */
  readonly token = randomBytes(16).toString("hex");
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly xapi: Xapi) {
    this.#server = createServer((socket) => {
      this.#serve(socket);
    });
  }

  static async start(xapi: Xapi): Promise<XapiListener> {
    const listener = new XapiListener(xapi);
    listener.#server.listen(0, "127.0.0.1");
    await once(listener.#server, "listening");
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // A killed xe ends its call; what it asked for goes on.
    socket.on("error", () => undefined);
    let question = "";
    socket.setEncoding("utf8").on("data", (text: string) => {
      question += text;
      const texts = question.split("\0");
      if (texts.length < 6) return;
      socket.removeAllListeners("data").resume();
      void this.#answer(texts).then((reply) => {
        socket.end(reply ? `${reply.status}\0${reply.stdout}\0${reply.stderr}\0` : "");
      });
    });
  }

  async #answer([token, hostUuid, extraArgs, rc, words]: readonly string[]): Promise<XeReply> {
    if (token !== this.token) return undefined;
    const input = { words: words ?? "", extraArgs: extraArgs ?? "", rc: rc ?? "" };
    return this.xapi.run(hostUuid ?? "", input).catch((error: unknown) => {
      // A mistake of the simulation's: seen in the test's output as well as by whoever called.
      console.error(error);
      return { status: 1, stdout: "", stderr: `The simulated toolstack failed: ${String(error)}\n` };
    });
  }
}
