import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Arguments, type ClientInput, readClientInput } from "./arguments";
import { BackgroundWork } from "./background";
import { COMMANDS } from "../commands";
import { Database, remove } from "./database";
import { ClientFailure, printError, UsageError, XapiError } from "./errors";
import { FaultList, type FaultEffect } from "./faults";
import { printOutput } from "./print";
import { insertDisc } from "./drives";
import type { HostRecord, VbdRecord, VbdRefusal, VmRecord } from "./records";
import { newPbd } from "./new-pbd";
import { addSnapshot, addVm, migrateVm, type NewVm, restartProtectedVms, startVm, stopVm } from "./vms";
import { StorageManager } from "./storage";
import { Toolstack } from "./toolstack";

/** One call of `xe`, as it went. */
export interface XeCall {
  /** The host on which it was made. */
  readonly hostUuid: string;
  /** `sr-create` */
  readonly command: string;
  /** What followed it: `uuid=…`. */
  readonly args: readonly string[];
  readonly startedAt: Date;
  /** Of the reply; `undefined` while there is none. */
  status: number | undefined;
  durationMs: number | undefined;
}

/** What `xe` prints, and its exit status; `undefined` when the connection ends without a reply. */
export type XeReply = { status: number; stdout: string; stderr: string } | undefined;

/** How a guest holds a disc. */
export interface TrayLock {
  readonly times?: number;
  readonly code?: VbdRefusal;
}

/** How a pool's toolstack behaves. */
export interface XapiOptions {
  /** When an ISO SR is scanned by itself after its PBD is plugged: older xapi does it on the coordinator. */
  readonly scan?: "coordinator" | "never";
  /** How often the coordinator scans SRs that are marked dirty (30 000). */
  readonly autoScanIntervalMs?: number;
  /** How long a drive keeps naming a disc that is gone (30 000). */
  readonly garbageCollectionDelayMs?: number;
  /** How long each call of `xe` takes at least (0; on a real host 100 to 500). */
  readonly latencyMs?: number;
}

/** The toolstack of a simulated pool: its database, and what `xe` does with it. */
export class Xapi extends Database {
  readonly calls: XeCall[] = [];
  readonly faults = new FaultList();
  readonly storage = new StorageManager(this);
  readonly background: BackgroundWork;
  latencyMs: number;
  /** How long inserting or ejecting a disc takes, in milliseconds; meanwhile the drive refuses both. */
  driveMs = 0;
  readonly #toolstacks = new Map<string, Toolstack>();

  constructor(options: XapiOptions = {}) {
    super();
    this.latencyMs = options.latencyMs ?? 0;
    this.background = new BackgroundWork(this, {
      scan: options.scan ?? "never",
      autoScanIntervalMs: options.autoScanIntervalMs ?? 30_000,
      garbageCollectionDelayMs: options.garbageCollectionDelayMs ?? 30_000,
    });
  }

  /** Adds a host, whose xapi runs and has not plugged anything yet; the first one is the coordinator. */
  addHost({ name, address }: { name: string; address: string }): HostRecord {
    const uuid = randomUUID();
    const host: HostRecord = {
      uuid,
      nameLabel: name,
      nameDescription: "Default install",
      address,
      enabled: true,
      isLive: true,
      sshAutoMode: undefined,
      sshEnabledTimeout: 0,
      otherConfig: {},
      tags: [],
    };
    this.hosts.push(host);
    this.#toolstacks.set(uuid, new Toolstack());
    if (this.pool.coordinatorUuid === "") this.pool.coordinatorUuid = uuid;
    return host;
  }

  /** xapi as a process of this host. */
  toolstack(hostUuid: string): Toolstack {
    const toolstack = this.#toolstacks.get(hostUuid);
    if (!toolstack) throw new TypeError(`There is no host ${hostUuid}.`);
    return toolstack;
  }

  /**
   * Ends xapi on a host, so that every call under way loses its reply, and starts it anew after a while; it
   * plugs all PBDs then.
   *
   * @returns once it answers again
   */
  async restartToolstack(hostUuid: string, { downMs = 0, initialisingMs = 0 } = {}): Promise<void> {
    const toolstack = this.toolstack(hostUuid);
    toolstack.stop();
    if (downMs > 0) await sleep(downMs);
    await toolstack.start({ initialisingMs }, () => this.plugAll(hostUuid));
  }

  /** The host is back: its xapi starts and plugs what can be plugged. */
  async startHost(hostUuid: string): Promise<void> {
    this.host(hostUuid).isLive = true;
    const isCoordinator = hostUuid === this.pool.coordinatorUuid;
    for (const { uuid } of this.hosts)
      if (isCoordinator || uuid === hostUuid) this.toolstack(uuid).isInEmergencyMode = false;
    await this.toolstack(hostUuid).start({}, () => this.plugAll(hostUuid));
    this.considerEnabling(hostUuid);
  }

  /**
   * A host loses power. The database keeps its PBDs as they were, and nobody can unplug them; with HA on they
   * are, and its protected VMs start elsewhere.
   */
  loseHost(hostUuid: string): void {
    const isCoordinator = hostUuid === this.pool.coordinatorUuid;
    this.toolstack(hostUuid).stop();
    for (const { uuid } of this.hosts) this.toolstack(uuid).isInEmergencyMode ||= isCoordinator;
    if (!isCoordinator) this.host(hostUuid).isLive = false;
    if (this.pool.haEnabled) restartProtectedVms(this, hostUuid);
  }

  /**
   * What `pool-emergency-transition-to-master` does on a member, and then `pool-recover-slaves` to the others.
   * The old coordinator, should it come back, is a member.
   */
  async makeCoordinator(hostUuid: string): Promise<void> {
    const old = this.host(this.pool.coordinatorUuid);
    this.pool.coordinatorUuid = hostUuid;
    old.isLive = this.toolstack(old.uuid).state === "up";
    for (const { uuid } of this.hosts) this.toolstack(uuid).isInEmergencyMode = false;
    await this.restartToolstack(hostUuid);
  }

  /** With HA on, a host takes VMs only once all its PBDs are plugged. */
  considerEnabling(hostUuid: string): void {
    const pbds = this.pbds.filter((pbd) => pbd.hostUuid === hostUuid);
    this.host(hostUuid).enabled = !this.pool.haEnabled || pbds.every((pbd) => pbd.currentlyAttached);
  }

  /** Records a VM. */
  addVm(vm: NewVm): { vm: VmRecord; drives: VbdRecord[] } {
    return addVm(this, vm);
  }

  /** Records a snapshot of a VM, with drives of its own that hold what the VM's hold. */
  addSnapshot(vm: VmRecord, options?: { isCheckpoint?: boolean }): VmRecord {
    return addSnapshot(this, vm, options);
  }

  /** Starts or resumes a VM; throws XapiError (`VM_REQUIRES_SR`). */
  startVm(vm: VmRecord, hostUuid?: string): void {
    startVm(this, vm, hostUuid);
  }

  /** Shuts a VM down or suspends it. */
  stopVm(vm: VmRecord, powerState?: "halted" | "suspended"): void {
    stopVm(this, vm, powerState);
  }

  /** Moves a running VM to another host, live. */
  migrateVm(vm: VmRecord, hostUuid: string): void {
    migrateVm(this, vm, hostUuid);
  }

  /** Puts a disc into a drive, as somebody else may do at any time. */
  insert(vbd: VbdRecord, vdiUuid: string): Promise<void> {
    return insertDisc(this, vbd, this.vdi(vdiUuid));
  }

  /** The guest refuses the next ejects, so many of them. */
  lockTray(vbd: VbdRecord, { times = Infinity, code = "VBD_TRAY_LOCKED" }: TrayLock = {}): void {
    vbd.refusals = { code, times };
  }

  /** What a host's end does to the records: its VMs are halted, its PBDs unplugged. */
  halt(hostUuid: string): void {
    for (const vm of this.vms.filter((each) => each.residentOn === hostUuid && !each.isControlDomain)) {
      vm.powerState = "halted";
      vm.residentOn = undefined;
      for (const vbd of this.vbdsOf(vm.uuid)) vbd.currentlyAttached = false;
    }
    for (const pbd of this.pbds.filter((each) => each.hostUuid === hostUuid)) pbd.currentlyAttached = false;
  }

  /** Drops a host with its PBDs. */
  forgetHost(hostUuid: string): void {
    this.halt(hostUuid);
    remove(this.pbds, (pbd) => pbd.hostUuid === hostUuid);
    remove(this.hosts, (host) => host.uuid === hostUuid);
  }

  /** What pool-join does to every SR of the host that joins: other PBDs in the place of its own. */
  async renewPbds(hostUuid: string): Promise<void> {
    const old = this.pbds.filter((pbd) => pbd.hostUuid === hostUuid);
    remove(this.pbds, (pbd) => old.includes(pbd));
    this.pbds.push(...old.map((pbd) => ({ ...pbd, uuid: randomUUID(), currentlyAttached: false })));
    await this.plugAll(hostUuid);
  }

  /**
   * What every start of xapi does: makes the PBDs of shared SRs that the host lacks, as the coordinator has them,
   * and plugs each that is not plugged, twice, and goes on past one that fails.
   *
   * @see xapi-project/xen-api: ocaml/xapi/create_storage.ml
   */
  async plugAll(hostUuid: string): Promise<void> {
    this.addPbdsOfSharedSrs(hostUuid);
    for (const pbd of this.pbds.filter((each) => each.hostUuid === hostUuid)) {
      await this.storage.attach(pbd).catch(() => this.storage.attach(pbd).catch(() => undefined));
    }
  }

  private addPbdsOfSharedSrs(hostUuid: string): void {
    for (const { uuid } of this.srs.filter(({ shared }) => shared)) {
      const pbds = this.pbdsOf(uuid);
      const ofCoordinator = pbds.find((pbd) => pbd.hostUuid === this.pool.coordinatorUuid);
      if (!ofCoordinator || pbds.some((pbd) => pbd.hostUuid === hostUuid)) continue;
      this.pbds.push(newPbd(uuid, hostUuid, ofCoordinator.deviceConfig));
    }
  }

  /** Runs one call of `xe` that was made on a host. */
  async run(hostUuid: string, input: ClientInput): Promise<XeReply> {
    const startedAt = new Date();
    const { words, server } = readClientInput(input);
    const [command = "", ...args] = words;
    const call: XeCall = { hostUuid, command, args, startedAt, status: undefined, durationMs: undefined };
    this.calls.push(call);
    const reply = await this.#answer(hostUuid, words, server);
    call.status = reply?.status ?? 1;
    call.durationMs = Date.now() - startedAt.getTime();
    return reply;
  }

  async #answer(hostUuid: string, words: readonly string[], server: string | undefined): Promise<XeReply> {
    const isHere = server === undefined || ["", "localhost", "127.0.0.1"].includes(server);
    const asked = isHere
      ? this.host(hostUuid)
      : this.hosts.find((host) => [host.address, host.nameLabel].includes(server));
    if (!asked) return failure(`Host '${server ?? ""}' not found.\n`);
    if (words.length === 0) return { status: 0, stdout: "Usage: xe <command>\n", stderr: "" };

    // A member hands every command on to its coordinator, but for those that help it without one.
    const isForMember = words[0]?.startsWith("pool-emergency-") ?? false;
    const own = this.toolstack(asked.uuid);
    if (isForMember && own.state === "up") return Promise.race([this.#execute(words, asked), own.stopped]);
    const toolstacks = [own, this.toolstack(this.pool.coordinatorUuid)];
    const refusal = toolstacks
      .map((toolstack) => this.#refusal(toolstack))
      .find((text) => text !== undefined);
    if (refusal !== undefined) return failure(refusal);
    return Promise.race([this.#execute(words, asked), ...toolstacks.map(({ stopped }) => stopped)]);
  }

  #refusal({ state, isInEmergencyMode }: Toolstack): string | undefined {
    if (state === "down") return "Error: Connection refused (calling connect )\n";
    if (state === "initialising") return this.#print(new XapiError("HOST_STILL_BOOTING"));
    if (isInEmergencyMode) return this.#print(new XapiError("HOST_IN_EMERGENCY_MODE"));
    return undefined;
  }

  async #execute(words: readonly string[], host: HostRecord): Promise<XeReply> {
    try {
      const args = Arguments.parse(words);
      const fault = this.faults.take(args);
      await this.#before(fault);
      if (fault?.kind === "loseReply" && fault.when === "before") return undefined;
      const running = this.#command(args, host, fault);
      if (isFailure(fault) && fault.when === "meanwhile") {
        running.catch(() => undefined);
        throw failureOf(fault);
      }
      const stdout = await running;
      return await afterwards(fault, { status: 0, stdout, stderr: "" });
    } catch (error) {
      return failure(this.#print(error));
    }
  }

  async #before(fault: FaultEffect | undefined): Promise<void> {
    const isDelayed = fault?.kind === "delay" && fault.when !== "after";
    const delayMs = this.latencyMs + (isDelayed ? fault.ms : 0);
    if (delayMs > 0) await sleep(delayMs);
    if (fault?.kind === "hang" && fault.when === "before") await never();
    if (isFailure(fault) && (fault.when ?? "before") === "before") throw failureOf(fault);
  }

  async #command(args: Arguments, host: HostRecord, fault: FaultEffect | undefined): Promise<string> {
    const command = COMMANDS[args.command];
    if (!command) throw new UsageError(`Unknown command: ${args.command}`);
    command.required.forEach((key) => args.need(key));
    const output = await command.run({ xapi: this, args, host, fault });
    return printOutput(output, { isMinimal: args.isMinimal });
  }

  #print(error: unknown): string {
    return printError(error, (ref) => this.print(ref));
  }
}

async function afterwards(fault: FaultEffect | undefined, reply: XeReply): Promise<XeReply> {
  if (fault?.kind === "hang" && fault.when === "after") await never();
  if (fault?.kind === "delay" && fault.when === "after") await sleep(fault.ms);
  if (isFailure(fault)) throw failureOf(fault);
  return fault?.kind === "loseReply" ? undefined : reply;
}

type Failure = Extract<FaultEffect, { kind: "fail" | "say" }>;

const isFailure = (fault: FaultEffect | undefined): fault is Failure =>
  fault?.kind === "fail" || fault?.kind === "say";

const failureOf = (fault: Failure) =>
  fault.kind === "say" ? new ClientFailure(fault.words) : new XapiError(fault.code, ...(fault.params ?? []));

const failure = (stderr: string) => ({ status: 1, stdout: "", stderr });

const never = () => new Promise<never>(() => undefined);
