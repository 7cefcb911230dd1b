import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Proxy, type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { type Provider, type ResourceName, StandInStack } from "./stack";

/** Where the discs' folders are made. */
export const SR_MOUNT_PATH = "/var/opt/xen-iso";

const TYPES: Readonly<Record<ResourceName, string>> = {
  tempIso: "TempIso",
  isoAttachment: "IsoAttachment",
  isoRelease: "IsoRelease",
};

/** The URN of a resource. */
export function urnOf(resource: ResourceName, name = "web-1", stack = "dev"): string {
  return `urn:pulumi:${stack}::shop::pulumi-nodejs:dynamic/xen:${TYPES[resource]}::${name}`;
}

type Address = Pick<TempIsoState, "connection" | "host" | "port" | "user" | "hostKey">;

/** A fresh host with a real sshd, and the link to it. */
export class Site implements AsyncDisposable {
  readonly #atEnd: (() => Promise<void>)[] = [];

  private constructor(
    readonly pool: SimulatedPool,
    readonly link: Proxy,
    /** How a state names the host. */
    readonly address: Address,
  ) {}

  static async start(): Promise<Site> {
    const pool = await startPool({ transport: "sshd" });
    const { host, port, user, password = "", hostKey } = pool.coordinator.connection;
    const link = await Proxy.start({ host, port });
    // Long enough for a machine on which dozens of hosts start at once.
    const limits = { dialErrorLimit: 3, perDialTimeout: 10 };
    const connection = { host: link.host, port: link.port, user, password, hostKey, ...limits };
    return new Site(pool, link, { connection, host: link.host, port: link.port, user, hostKey });
  }

  /** A stack whose one resource has these arguments. */
  stack<State extends object>(
    resource: ResourceName,
    args: Readonly<Record<string, unknown>>,
    provider?: Provider,
  ): StandInStack<State> {
    const { connection } = this.address;
    const all = { owner: urnOf(resource), connection, ...args };
    return new StandInStack<State>(resource, all, provider as Provider<State> | undefined);
  }

  /** The stack of a disc. */
  disc(isoPath: string, more: Readonly<Record<string, unknown>> = {}, provider?: Provider) {
    return this.stack<TempIsoState>("tempIso", { isoPath, ...more }, provider);
  }

  get host(): SimulatedHost {
    return this.pool.coordinator;
  }

  /** Ends something before the host ends. */
  onEnd(end: () => Promise<void>): void {
    this.#atEnd.push(end);
  }

  async endHelpers(): Promise<void> {
    for (const end of this.#atEnd.splice(0)) await end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endHelpers();
    await this.link[Symbol.asyncDispose]();
    await this.pool[Symbol.asyncDispose]();
  }
}
