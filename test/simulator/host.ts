import { setTimeout as sleep } from "node:timers/promises";
import type { HostRecord } from "./xapi/records";
import type { Xapi } from "./xapi/xapi";
import type { HostCommand, HostConnection, Space, Transport } from "./transport/host";

/** One host of a simulated pool, as a test deals with it. */
export class SimulatedHost {
  readonly uuid: string;
  readonly name: string;
  /** How to log in. */
  readonly connection: HostConnection;

  constructor(
    private readonly xapi: Xapi,
    record: HostRecord,
    private readonly transport: Transport,
  ) {
    this.uuid = record.uuid;
    this.name = record.nameLabel;
    this.connection = transport.connection;
  }

  /** Logins so far. */
  get connections(): number {
    return this.transport.connections;
  }

  /** Commands and SFTP sessions that were started over SSH so far: a round trip each, at least. */
  get sessions(): number {
    return this.transport.sessions;
  }

  /** What was run over SSH so far; always empty with `sshd`, which does not tell. */
  get commands(): readonly HostCommand[] {
    return this.transport.commands;
  }

  /** Where an absolute path of the host lies on this machine. */
  path(hostPath: string): string {
    return this.transport.path(hostPath);
  }

  /** Decides what `stat -f` says of a place. */
  setSpace(space: Space): void {
    this.transport.setSpace(space);
  }

  /** Decides what `/proc/meminfo` says. */
  setMemory(memory: { totalBytes: number; availableBytes: number }): void {
    this.transport.setMemory(memory);
  }

  /** The link from the coordinator to this member breaks: what was handed over goes on, and has no answer. */
  breakLink(): void {
    this.xapi.toolstack(this.uuid).breakLink();
  }

  /** Ends xapi, and starts it anew after a while. */
  restartToolstack(options: { downMs?: number; initialisingMs?: number } = {}): Promise<void> {
    return this.xapi.restartToolstack(this.uuid, options);
  }

  /** SSH is switched off: logins end, new ones are refused. */
  stopSshd(): Promise<void> {
    return this.transport.stopSshd();
  }

  /** SSH is switched on again, on the same port. */
  startSshd(): Promise<void> {
    return this.transport.startSshd();
  }

  /** Loses power: everything that runs ends, and nobody tells the pool. */
  async powerOff(): Promise<void> {
    this.xapi.loseHost(this.uuid);
    await this.transport.powerOff();
  }

  /** Starts again after {@link powerOff}. */
  async powerOn(): Promise<void> {
    this.xapi.halt(this.uuid);
    await this.transport.powerOn();
    await this.xapi.startHost(this.uuid);
  }

  /**
   * A reboot: everything that runs ends, the host's VMs halt, `/run` is empty; then xapi plugs what can be
   * plugged.
   *
   * @returns once SSH and xapi answer again
   */
  async reboot({ downMs = 0 } = {}): Promise<void> {
    this.xapi.toolstack(this.uuid).stop();
    this.xapi.halt(this.uuid);
    await this.transport.powerOff();
    if (downMs > 0) await sleep(downMs);
    await this.transport.powerOn();
    await this.xapi.startHost(this.uuid);
  }
}
