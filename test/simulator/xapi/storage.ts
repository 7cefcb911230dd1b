import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Database, remove } from "./database";
import { backendFailure, Ref, XapiError } from "./errors";
import { type HostFiles, isFolder, readIsoFolder } from "./iso-folder";
import type { PbdRecord, SrRecord, VdiRecord } from "./records";

/** `aio:<folder>/<name>`, tapdisk's name of a disc, has to stay within this. */
const LONGEST_DISC_NAME_BYTES = 254;

/** The storage manager of every host: attaches SRs, reads their folders. */
export class StorageManager {
  /** How long attaching or detaching one SR takes, in milliseconds; a host does one at a time. */
  attachMs = 0;

  readonly #files = new Map<string, HostFiles>();
  readonly #queues = new Map<string, Promise<unknown>>();
  /** SRs in which a scan finds nothing new yet. */
  readonly #late = new Map<string, { scans: number; from: number }>();

  constructor(private readonly database: Database) {}

  /** Tells where a host's files lie. */
  mount(hostUuid: string, files: HostFiles): void {
    this.#files.set(hostUuid, files);
  }

  /**
   * Creates the SR on its substrate: for a folder, looks whether it is there.
   *
   * @throws XapiError
   */
  async create(pbd: PbdRecord): Promise<void> {
    await this.#inTurn(pbd.hostUuid, () => this.#assertFolder(pbd));
  }

  /**
   * Attaches a host to an SR. No version of xapi that matters scans an ISO SR while it does: it marks the SR
   * for the scan that the coordinator makes from time to time.
   *
   * @throws XapiError
   */
  async attach(pbd: PbdRecord): Promise<void> {
    await this.#inTurn(pbd.hostUuid, async () => {
      if (pbd.currentlyAttached) return;
      await this.#assertFolder(pbd);
      pbd.currentlyAttached = true;
      this.database.sr(pbd.srUuid).otherConfig["dirty"] = "";
    });
  }

  /** Detaches it. */
  async detach(pbd: PbdRecord): Promise<void> {
    await this.#inTurn(pbd.hostUuid, () => {
      pbd.currentlyAttached = false;
      return Promise.resolve();
    });
  }

  /** From now on scans of this SR find nothing new, for so many of them and so long. */
  hideDiscs(srUuid: string, late: { scans: number; ms: number }): void {
    this.#late.set(srUuid, { scans: late.scans, from: Date.now() + late.ms });
  }

  /**
   * Brings the VDI records of an SR in line with its folder.
   *
   * @throws XapiError
   */
  async scan(sr: SrRecord): Promise<void> {
    const pbd = this.database.pbdForOperation(sr);
    const location = pbd.deviceConfig["location"] ?? "";
    const files = this.#filesOf(pbd.hostUuid);
    if (!(await isFolder(files, location))) {
      throw backendFailure(47, `The SR is not available [opterr=no such directory ${location}]`);
    }
    const found = await readIsoFolder(files, location);
    delete sr.otherConfig["dirty"];
    remove(
      this.database.vdis,
      (vdi) => vdi.srUuid === sr.uuid && !found.some((disc) => disc.location === vdi.location),
    );
    const isLate = this.#isLate(sr.uuid);
    for (const disc of found) {
      const known = this.database.vdisOf(sr.uuid).find((vdi) => vdi.location === disc.location);
      if (known) known.virtualSize = disc.sizeBytes;
      else if (!isLate) this.#addVdi(sr, disc);
    }
  }

  /**
   * Whether a disc of an SR can be given to a VM that runs on a host.
   *
   * @throws XapiError
   */
  assertAttachable(vdi: VdiRecord, hostUuid: string): void {
    const pbd = this.database
      .pbdsOf(vdi.srUuid)
      .find((each) => each.hostUuid === hostUuid && each.currentlyAttached);
    if (!pbd) throw new XapiError("SR_NOT_ATTACHED", new Ref(vdi.srUuid));
    const path = `${pbd.deviceConfig["location"] ?? ""}/${vdi.location}`;
    const isNameable = Buffer.byteLength(`aio:${path}`) <= LONGEST_DISC_NAME_BYTES && !path.includes("=");
    if (!isNameable || !existsSync(this.#filesOf(hostUuid).path(path))) {
      throw backendFailure(46, `The VDI is not available [opterr=${path}]`);
    }
  }

  /** Path on this machine of the file behind a disc. */
  fileOf(vdi: VdiRecord): string {
    const pbd = this.database.pbdForOperation(this.database.sr(vdi.srUuid));
    return this.#filesOf(pbd.hostUuid).path(`${pbd.deviceConfig["location"] ?? ""}/${vdi.location}`);
  }

  #addVdi(sr: SrRecord, disc: Awaited<ReturnType<typeof readIsoFolder>>[number]): void {
    if (disc.uuid && this.database.vdis.some((vdi) => vdi.uuid === disc.uuid)) {
      throw backendFailure(40, `The SR scan failed  [opterr=uuid=${disc.uuid} is in use]`);
    }
    this.database.vdis.push({
      uuid: disc.uuid ?? randomUUID(),
      nameLabel: disc.nameLabel,
      nameDescription: "",
      srUuid: sr.uuid,
      virtualSize: disc.sizeBytes,
      location: disc.location,
      readOnly: true,
      isToolsIso: disc.isToolsIso,
      otherConfig: {},
      tags: [],
    });
  }

  #isLate(srUuid: string): boolean {
    const late = this.#late.get(srUuid);
    if (!late) return false;
    if (late.scans <= 0 && late.from <= Date.now()) return false;
    late.scans--;
    return true;
  }

  async #assertFolder({ deviceConfig, hostUuid }: PbdRecord): Promise<void> {
    const location = deviceConfig["location"];
    if (location === undefined) {
      throw backendFailure(90, "The request is missing the location parameter");
    }
    // Without it the driver takes the location for a share that it has to mount first.
    if (deviceConfig["legacy_mode"] !== "true") {
      throw backendFailure(222, "Could not mount the directory specified in Device Configuration");
    }
    if (!(await isFolder(this.#filesOf(hostUuid), location))) {
      throw backendFailure(226, "Invalid local path");
    }
  }

  #filesOf(hostUuid: string): HostFiles {
    const files = this.#files.get(hostUuid);
    if (!files) throw new TypeError(`Host ${hostUuid} has no files: it was not started.`);
    return files;
  }

  /** One SR at a time on a host, first come first served. */
  #inTurn(hostUuid: string, work: () => Promise<void>): Promise<void> {
    const before = this.#queues.get(hostUuid) ?? Promise.resolve();
    const turn = before.then(async () => {
      if (this.attachMs > 0) await sleep(this.attachMs);
      await work();
    });
    this.#queues.set(
      hostUuid,
      turn.catch(() => undefined),
    );
    return turn;
  }
}
