import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";
import "./dispose";

/** How the way to a host misbehaves; each field can be changed at any time. */
export interface ProxyFaults {
  /** How long every byte takes, one way, in milliseconds (0): half of a round trip. */
  delayMs: number;
  /** How many bytes a second pass in each direction of a connection (no limit). */
  bytesPerSecond: number;
  /** Breaks a connection once so many bytes have come from the client. */
  dropAfterBytes: number | undefined;
  /** Forwards nothing of a connection once so many bytes have come from the client, and says nothing: 0 at once. */
  stallAfterBytes: number | undefined;
  /** Resets so many of the next connections as soon as they are made. */
  refuseConnections: number;
}

/** One connection through a proxy, as it went. */
export interface ProxiedConnection {
  bytesFromClient: number;
  bytesFromServer: number;
  readonly wasRefused: boolean;
}

/** A proxy on loopback in front of a host, which can be made a bad way to it. */
export class Proxy implements AsyncDisposable {
  readonly connections: ProxiedConnection[] = [];
  readonly faults: ProxyFaults;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly target: { readonly host: string; readonly port: number },
    faults: Partial<ProxyFaults>,
  ) {
    this.faults = {
      delayMs: 0,
      bytesPerSecond: Infinity,
      dropAfterBytes: undefined,
      stallAfterBytes: undefined,
      refuseConnections: 0,
      ...faults,
    };
    this.#server = createServer({ noDelay: true }, (client) => {
      this.#forward(client);
    });
  }

  static async start(
    target: { readonly host: string; readonly port: number },
    faults: Partial<ProxyFaults> = {},
  ): Promise<Proxy> {
    const proxy = new Proxy(target, faults);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  readonly host = "127.0.0.1";

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Breaks every connection there is. */
  dropAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, "close");
  }

  #forward(client: Socket): void {
    const wasRefused = this.faults.refuseConnections > 0;
    const record: ProxiedConnection = { bytesFromClient: 0, bytesFromServer: 0, wasRefused };
    this.connections.push(record);
    this.#keep(client);
    if (wasRefused) {
      this.faults.refuseConnections--;
      client.resetAndDestroy();
      return;
    }
    const server = this.#keep(connect({ ...this.target, noDelay: true }));
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
    const drop = () => {
      client.resetAndDestroy();
      server.resetAndDestroy();
    };
    const fromClient = new Passage(this.faults, (bytes) => {
      record.bytesFromClient += bytes;
      if (record.bytesFromClient >= (this.faults.dropAfterBytes ?? Infinity)) drop();
      return !this.#isStalled(record);
    });
    const fromServer = new Passage(this.faults, (bytes) => {
      record.bytesFromServer += bytes;
      return !this.#isStalled(record);
    });
    client.pipe(fromClient).pipe(server);
    server.pipe(fromServer).pipe(client);
  }

  #isStalled({ bytesFromClient }: ProxiedConnection): boolean {
    return bytesFromClient >= (this.faults.stallAfterBytes ?? Infinity);
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    // What breaks is what the test asked for.
    socket.on("error", () => undefined);
    return socket;
  }
}

/** What one direction holds at most: more than a link of 1 GiB/s has under way in 50 ms. */
const MOST_UNDER_WAY_BYTES = 64 * 1024 * 1024;

/** One direction: lets bytes through in order, each after the delay, or never. */
class Passage extends Transform {
  /** Not one after another: what follows is under way at the same time. */
  readonly #underWay: { chunk: Buffer; arrivesAt: number }[] = [];
  #underWayBytes = 0;
  /** When the last byte so far is through the narrowest part of the way. */
  #throughAt = 0;
  #goOn: (() => void) | undefined;
  #end: (() => void) | undefined;

  constructor(
    private readonly faults: ProxyFaults,
    private readonly mayPass: (bytes: number) => boolean,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (!this.mayPass(chunk.length)) return;
    const { delayMs, bytesPerSecond } = this.faults;
    if (delayMs === 0 && bytesPerSecond === Infinity && this.#underWay.length === 0) {
      this.push(chunk);
      done();
      return;
    }
    this.#throughAt = Math.max(this.#throughAt, Date.now()) + (chunk.length * 1_000) / bytesPerSecond;
    this.#underWay.push({ chunk, arrivesAt: this.#throughAt + delayMs });
    this.#underWayBytes += chunk.length;
    if (this.#underWay.length === 1) this.#wait();
    // A narrow way holds a tenth of a second, so that its client soon feels how narrow it is.
    if (this.#underWayBytes < Math.min(MOST_UNDER_WAY_BYTES, bytesPerSecond / 10)) done();
    else this.#goOn = done;
  }

  override _flush(done: () => void): void {
    if (this.#underWay.length === 0) done();
    else this.#end = done;
  }

  #wait(): void {
    const [next] = this.#underWay;
    if (next) setTimeout(() => this.#arrive(), Math.max(0, next.arrivesAt - Date.now()));
    else this.#end?.();
  }

  /** All that is due: a timer for each piece would make the way narrow. */
  #arrive(): void {
    if (this.destroyed) return;
    for (let next = this.#underWay[0]; next && next.arrivesAt <= Date.now(); next = this.#underWay[0]) {
      this.#underWay.shift();
      this.push(next.chunk);
      this.#underWayBytes -= next.chunk.length;
    }
    const goOn = this.#goOn;
    this.#goOn = undefined;
    goOn?.();
    this.#wait();
  }
}
