import { existsSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { TempIsoInputs } from "../../provider/lifecycle/inputs";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import {
  type HostConnection,
  type SimulatedHost,
  type SimulatedPool,
  startPool,
  type XapiOptions,
} from "../simulator";
import { time } from "./measure";
import { OpenSsh } from "./open-ssh";
import { ProviderProcess } from "./provider-process";

/** What check finds in a file that is younger is not remembered; an image is seldom made right before it is used. */
export const SETTLED_MS = 2_100;

/** Where the host keeps what scp copies: beside the discs' folders, on the same file system. */
const COPIES = "/var/opt/copies";

/** A host with a real sshd, and a provider's process. */
export class Site implements AsyncDisposable {
  #turns = 0;

  private constructor(
    readonly pool: SimulatedPool,
    readonly provider: ProviderProcess,
    /** Fields that another clone may not have. */
    private readonly ownFields: object,
  ) {}

  /** @param checkout of the provider; see {@link ProviderProcess.start} */
  static async start(options: XapiOptions = {}, checkout?: string): Promise<Site> {
    const pool = await startPool({ transport: "sshd", ...options });
    const ownFields = checkout === undefined ? { sshConfig: false } : {};
    return new Site(pool, await ProviderProcess.start({ checkout }), ownFields);
  }

  get host(): SimulatedHost {
    return this.pool.coordinator;
  }

  /** The inputs of discs of these images, one for each, as check makes them. */
  async inputsFor(
    isoPaths: readonly string[],
    connection: HostConnection = this.host.connection,
  ): Promise<TempIsoInputs[]> {
    const { host, port, user, privateKey, hostKey } = connection;
    await sleep(SETTLED_MS);
    const login = { host, port, user, privateKey, hostKey, ...this.ownFields };
    const inputs: TempIsoInputs[] = [];
    for (const [index, isoPath] of isoPaths.entries())
      inputs.push(await this.provider.check({ isoPath, owner: ownerOf(index), connection: login }));
    return inputs;
  }

  /** Makes these discs at the same time, by a connection that is opened for it, and deletes them; times the making. */
  async timeCreate(inputs: readonly TempIsoInputs[]): Promise<number> {
    // What is reached in another way shares no connection that a turn before may have left open.
    const dialErrorLimit = 10 + ++this.#turns;
    const own = inputs.map((each) => ({ ...each, connection: { ...each.connection, dialErrorLimit } }));
    let states: readonly TempIsoState[] = [];
    const durationMs = await time(async () => {
      states = await Promise.all(own.map((each) => this.provider.create(each)));
    });
    await Promise.all(states.map((state) => this.provider.delete(state)));
    return durationMs;
  }

  /** Copies a file by scp, and removes the copy; times the copying. */
  async timeScp(
    localPath: string,
    options: { cipher?: string; connection?: HostConnection } = {},
  ): Promise<number> {
    const openSsh = new OpenSsh(options.connection ?? this.host.connection);
    const remotePath = `${COPIES}/copy.iso`;
    await openSsh.run(`mkdir -p ${COPIES}`);
    const durationMs = await time(() => openSsh.scp(localPath, remotePath, options));
    if (!existsSync(this.host.path(remotePath))) throw new Error("scp has copied nothing.");
    rmSync(this.host.path(remotePath));
    return durationMs;
  }

  /** Makes a disc as the port of the reference does, and removes its folder; times the making. */
  async timeReference(isoPath: string): Promise<number> {
    let folder = "";
    const durationMs = await time(async () => {
      ({ folder } = await this.provider.createByReference(this.host.connection, isoPath));
    });
    rmSync(this.host.path(folder), { recursive: true });
    return durationMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]();
    await this.pool[Symbol.asyncDispose]();
  }
}

/** A URN for each, so that no two are creates of the same resource. */
function ownerOf(index: number): string {
  return `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-${index + 1}`;
}
