import { randomInt } from "node:crypto";
import { EmbeddedTransport } from "./transport/embedded";
import { SshdTransport } from "./transport/sshd";
import type { Transport, TransportOptions } from "./transport/host";
import { SimulatedHost } from "./host";
import { type Leftovers, leftoversOf } from "./leftovers";
import { XapiListener } from "./xapi/listener";
import { Xapi, type XapiOptions } from "./xapi/xapi";

/** What a pool is started with. */
export interface StartOptions extends XapiOptions {
  /** How its hosts are reached: a server inside of this process, or a real sshd in a namespace (Linux). */
  readonly transport: "embedded" | "sshd";
  /** How many hosts it has (1). */
  readonly hosts?: number;
  /** Where the first one listens (127.0.0.1). */
  readonly address?: string;
  /** root's `.bashrc`. */
  readonly bashrc?: string;
  /** How a password is asked for (`password`). */
  readonly passwordMethod?: "password" | "keyboard-interactive";
  /** Whether SFTP is a program that root's shell starts (`external`), or part of the SSH server. */
  readonly sftp?: "external" | "internal";
}

/** A simulated pool; ends with everything it made when disposed of. */
export class SimulatedPool implements AsyncDisposable {
  readonly hosts: SimulatedHost[] = [];
  readonly #transports: Transport[] = [];
  readonly #subnet = `127.${randomInt(1, 255)}.${randomInt(256)}`;
  #started = 0;

  private constructor(
    readonly xapi: Xapi,
    private readonly options: StartOptions,
    private readonly listener: XapiListener,
  ) {}

  static async start(options: StartOptions): Promise<SimulatedPool> {
    const xapi = new Xapi(options);
    const pool = new SimulatedPool(xapi, options, await XapiListener.start(xapi));
    try {
      // The others listen on the port that the first one finds free.
      pool.hosts.push(await pool.#addHost());
      const others = Array.from({ length: (options.hosts ?? 1) - 1 }, () => pool.#addHost());
      pool.hosts.push(...(await Promise.all(others)));
    } catch (error) {
      await pool[Symbol.asyncDispose]();
      throw error;
    }
    return pool;
  }

  /** The host that speaks for the pool; the first one to begin with. */
  get coordinator(): SimulatedHost {
    const found = this.hosts.find(({ uuid }) => uuid === this.xapi.pool.coordinatorUuid);
    if (!found) throw new TypeError("A pool has one host at least.");
    return found;
  }

  /** A host joins the pool: it gets a PBD for each shared SR, and plugs those that it can. */
  async join(): Promise<SimulatedHost> {
    const host = await this.#addHost();
    this.hosts.push(host);
    await this.xapi.plugAll(host.uuid);
    this.xapi.considerEnabling(host.uuid);
    return host;
  }

  /** What is on the hosts and in the database, to be compared with nothing. */
  leftovers(mountPaths?: readonly string[]): Promise<Leftovers> {
    return leftoversOf(this.xapi, this.hosts, mountPaths);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.xapi.background.stop();
    await Promise.all(this.#transports.map((transport) => transport.dispose()));
    await this.listener.stop();
  }

  async #addHost(): Promise<SimulatedHost> {
    const number = ++this.#started;
    const listenOn = this.#addressOf(number);
    const record = this.xapi.addHost({ name: `xen${number}`, address: listenOn.host });
    const transport = await start(this.options.transport, {
      listenOn,
      hostUuid: record.uuid,
      hostName: record.nameLabel,
      xapi: { port: this.listener.port, token: this.listener.token },
      bashrc: this.options.bashrc,
      passwordMethod: this.options.passwordMethod ?? "password",
      sftp: this.options.sftp ?? "external",
    });
    this.#transports.push(transport);
    this.xapi.storage.mount(record.uuid, transport);
    return new SimulatedHost(this.xapi, record, transport);
  }

  /** An address of its own for each host, and one port for all of them, where loopback has more than one address. */
  #addressOf(number: number): TransportOptions["listenOn"] {
    const port = this.hosts[0]?.connection.port;
    if (number === 1 || port === undefined || process.platform !== "linux")
      return { host: this.options.address ?? "127.0.0.1" };
    return { host: `${this.#subnet}.${number}`, port };
  }
}

/** Starts a pool; `await using pool = await startPool({ transport: "embedded" })`. */
export function startPool(options: StartOptions): Promise<SimulatedPool> {
  return SimulatedPool.start(options);
}

function start(kind: StartOptions["transport"], options: TransportOptions): Promise<Transport> {
  return kind === "sshd" ? SshdTransport.start(options) : EmbeddedTransport.start(options);
}
