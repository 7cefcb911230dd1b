import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { HostConnection } from "../simulator";

/** Opens the link, or asks how many bytes have come from the client so far. */
export type LinkOrder =
  { readonly target: { readonly host: string; readonly port: number }; readonly delayMs: number } | "bytes";

/** The port, or the bytes. */
export type LinkAnswer = number;

/** A network between here and a host: slow to answer if need be, and it counts. */
export class Link implements AsyncDisposable {
  private constructor(
    private readonly child: ChildProcess,
    readonly connection: HostConnection,
  ) {}

  static async to(connection: HostConnection, { roundTripMs = 0 } = {}): Promise<Link> {
    const child = fork(require.resolve("./link-process.ts"), { execArgv: ["--import", "tsx"] });
    const { host, port } = connection;
    const proxyPort = await ask(child, { target: { host, port }, delayMs: roundTripMs / 2 });
    return new Link(child, { ...connection, host: "127.0.0.1", port: proxyPort });
  }

  /** Sent to the host so far, by all connections. */
  sentBytes(): Promise<number> {
    return ask(this.child, "bytes");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.disconnect();
    await exited;
  }
}

async function ask(child: ChildProcess, order: LinkOrder): Promise<LinkAnswer> {
  const answered = once(child, "message") as Promise<[LinkAnswer]>;
  child.send(order);
  const [answer] = await answered;
  return answer;
}
