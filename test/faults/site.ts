import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { Proxy, type SimulatedHost, type SimulatedPool, startPool } from "../simulator";
import type { Images } from "./images";
import { StandInStack } from "./stack";

/** Where the discs' folders are made. */
export const SR_MOUNT_PATH = "/var/opt/xen-iso";

/** URN of the one resource. */
export const OWNER = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1";

type Address = Pick<TempIsoState, "connection" | "host" | "port" | "user" | "hostKey">;

/** A fresh host with a real sshd, the link to it, and a stack whose one resource is to be there. */
export class Site implements AsyncDisposable {
  readonly #atEnd: (() => Promise<void>)[] = [];

  private constructor(
    readonly pool: SimulatedPool,
    readonly link: Proxy,
    readonly stack: StandInStack,
    /** The program's arguments, as the class passes them on. */
    readonly args: Readonly<Record<string, unknown>>,
    /** How a state names the host. */
    readonly address: Address,
  ) {}

  static async start({ isoPath }: { isoPath: keyof Images }, images: Images): Promise<Site> {
    const pool = await startPool({ transport: "sshd" });
    const { host, port, user, password = "", hostKey } = pool.coordinator.connection;
    const link = await Proxy.start({ host, port });
    // Long enough for a machine on which dozens of hosts start at once.
    const limits = { dialErrorLimit: 3, perDialTimeout: 10 };
    const connection = { host: link.host, port: link.port, user, password, hostKey, ...limits };
    const args = { isoPath: images[isoPath], owner: OWNER, connection };
    const address = { connection, host: link.host, port: link.port, user, hostKey };
    return new Site(pool, link, new StandInStack(args, tempIso), args, address);
  }

  get host(): SimulatedHost {
    return this.pool.coordinator;
  }

  /** Has something ended before the host does. */
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
