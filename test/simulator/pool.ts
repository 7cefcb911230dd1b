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
  /** root's `.bashrc`. */
  readonly bashrc?: string;
  /** How a password is asked for (`password`). */
  readonly passwordMethod?: "password" | "keyboard-interactive";
  /** Whether SFTP is a program that root's shell starts (`external`), or part of the SSH server. */
  readonly sftp?: "external" | "internal";
}

/** A simulated pool; ends with everything it made when disposed of. */
export class SimulatedPool implements AsyncDisposable {
  constructor(
    readonly xapi: Xapi,
    readonly hosts: readonly SimulatedHost[],
    private readonly end: () => Promise<void>,
  ) {}

  /** The first host, which is the coordinator. */
  get coordinator(): SimulatedHost {
    const [first] = this.hosts;
    if (!first) throw new TypeError("A pool has one host at least.");
    return first;
  }

  /** What is on the hosts and in the database, to be compared with nothing. */
  leftovers(mountPaths?: readonly string[]): Promise<Leftovers> {
    return leftoversOf(this.xapi, this.hosts, mountPaths);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}

/** Starts a pool; `await using pool = await startPool({ transport: "embedded" })`. */
export async function startPool(options: StartOptions): Promise<SimulatedPool> {
  const xapi = new Xapi(options);
  const listener = await XapiListener.start(xapi);
  const transports: Transport[] = [];
  const end = async () => {
    xapi.background.stop();
    await Promise.all(transports.map((transport) => transport.dispose()));
    await listener.stop();
  };
  try {
    const records = Array.from({ length: options.hosts ?? 1 }, (_, index) =>
      xapi.addHost({ name: `xen${index + 1}` }),
    );
    const hosts = await Promise.all(
      records.map(async (record) => {
        const transport = await start(options.transport, {
          hostUuid: record.uuid,
          hostName: record.nameLabel,
          xapi: { port: listener.port, token: listener.token },
          bashrc: options.bashrc,
          passwordMethod: options.passwordMethod ?? "password",
          sftp: options.sftp ?? "external",
        });
        transports.push(transport);
        xapi.storage.mount(record.uuid, transport);
        return new SimulatedHost(xapi, record, transport);
      }),
    );
    return new SimulatedPool(xapi, hosts, end);
  } catch (error) {
    await end();
    throw error;
  }
}

function start(kind: StartOptions["transport"], options: TransportOptions): Promise<Transport> {
  return kind === "sshd" ? SshdTransport.start(options) : EmbeddedTransport.start(options);
}
