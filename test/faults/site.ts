import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Proxy, type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import { PluginProcess } from "../plugin/plugin-process";
import type { ProviderProcess } from "./provider-process";
import { type Provider, type ResourceName, StandInStack } from "./stack";
import { WorkerProcess } from "./worker-process";

/** Where the discs' folders are made. */
export const SR_MOUNT_PATH = "/var/opt/xen-iso";

const TYPES: Readonly<Record<ResourceName, string>> = {
  tempIso: "TempIso",
  isoAttachment: "IsoAttachment",
  isoRelease: "IsoRelease",
};

/** How the engine reaches the providers: dynamic ones, or the plugin; with how the types of resources begin. */
const DOORS = { dynamic: "pulumi-nodejs:dynamic/xen:", plugin: "xen:index:" } as const;

export type DoorName = keyof typeof DOORS;

export const isDoor = (name: string): name is DoorName => name in DOORS;

/** The URN of a resource. */
export function urnOf(
  resource: ResourceName,
  name = "web-1",
  stack = "dev",
  door: DoorName = "dynamic",
): string {
  return `urn:pulumi:${stack}::shop::${DOORS[door]}${TYPES[resource]}::${name}`;
}

type Address = Pick<TempIsoState, "connection" | "host" | "port" | "user" | "hostKey">;

/** A fresh host with a real sshd, and the link to it. */
export class Site implements AsyncDisposable {
  readonly #atEnd: (() => Promise<void>)[] = [];

  private constructor(
    readonly pool: SimulatedPool,
    /** A link to each host. */
    private readonly links: readonly Proxy[],
    private readonly faultAt: number,
    /** How a state names the host. */
    readonly address: Address,
    /** Its own provider process, if dynamic providers in this process do not serve it. */
    private readonly plugin: PluginProcess | undefined,
  ) {}

  /** @param poolHost the host that faults are on, in a pool of two; one host by default */
  static async start(door: DoorName = "dynamic", poolHost?: 0 | 1): Promise<Site> {
    const plugin = door === "plugin" ? await PluginProcess.start() : undefined;
    const pool = await startPool({ transport: "sshd", hosts: poolHost === undefined ? 1 : 2 });
    const { user, password = "", hostKey } = pool.coordinator.connection;
    const links = await Promise.all(pool.hosts.map(({ connection }) => Proxy.start(connection)));
    const link = links[0]!;
    // Long enough for a machine on which dozens of hosts start at once.
    const limits = { dialErrorLimit: 3, perDialTimeout: 10, sshConfig: false };
    const connection = { host: link.host, port: link.port, user, password, hostKey, ...limits };
    return new Site(
      pool,
      links,
      poolHost ?? 0,
      { connection, host: link.host, port: link.port, user, hostKey },
      plugin,
    );
  }

  /** A stack whose one resource has these arguments. */
  stack<State extends object>(
    resource: ResourceName,
    args: Readonly<Record<string, unknown>>,
    provider?: Provider,
  ): StandInStack<State> {
    const { connection } = this.address;
    const all = { owner: this.urnOf(resource), connection, ...args };
    const serving = provider ?? this.plugin?.provider();
    return new StandInStack<State>(resource, all, serving as Provider<State> | undefined);
  }

  /** The stack of a disc. */
  disc(isoPath: string, more: Readonly<Record<string, unknown>> = {}, provider?: Provider) {
    return this.stack<TempIsoState>("tempIso", { isoPath, ...more }, provider);
  }

  /** The URN of a resource here. */
  urnOf(resource: ResourceName, name?: string): string {
    return urnOf(resource, name, undefined, this.plugin ? "plugin" : "dynamic");
  }

  /** Another process of providers, which may be killed. */
  startProcess(): Promise<ProviderProcess> {
    return this.plugin ? PluginProcess.start() : WorkerProcess.start();
  }

  /** The host that faults are on. */
  get host(): SimulatedHost {
    return this.pool.hosts[this.faultAt]!;
  }

  /** The link to it. */
  get link(): Proxy {
    return this.links[this.faultAt]!;
  }

  /** How a disc of the whole pool reaches each host. */
  get hostConnections(): Readonly<Record<string, object>> {
    const reached = this.pool.hosts.map(({ name, connection: { hostKey } }, index) => {
      const { host, port } = this.links[index]!;
      return [name, { host, port, hostKey }] as const;
    });
    return Object.fromEntries(reached);
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
    await this.plugin?.[Symbol.asyncDispose]();
    for (const link of this.links) await link[Symbol.asyncDispose]();
    await this.pool[Symbol.asyncDispose]();
  }
}
