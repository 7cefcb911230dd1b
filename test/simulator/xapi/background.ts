import type { Xapi } from "./xapi";

/** What runs in the background of a pool. */
export interface BackgroundOptions {
  readonly scan: "coordinator" | "never";
  readonly autoScanIntervalMs: number;
  readonly garbageCollectionDelayMs: number;
}

/** What xapi does without being asked. */
export class BackgroundWork {
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly xapi: Xapi,
    private readonly options: BackgroundOptions,
  ) {
    const timer = setInterval(() => void this.autoScan(), options.autoScanIntervalMs);
    this.#timers.add(timer.unref());
  }

  /** Scans the SRs marked dirty, as the coordinator does every 30 s. */
  async autoScan(): Promise<void> {
    if (this.xapi.toolstack(this.xapi.pool.coordinatorUuid).state !== "up") return;
    const dirty = this.xapi.srs.filter((sr) => "dirty" in sr.otherConfig);
    await Promise.all(dirty.map((sr) => this.xapi.storage.scan(sr).catch(() => undefined)));
  }

  /** A PBD was plugged: xapi before 23.22 scans in the background, on the coordinator only. */
  afterPlug(pbd: { hostUuid: string; srUuid: string }): void {
    if (this.options.scan !== "coordinator" || pbd.hostUuid !== this.xapi.pool.coordinatorUuid) return;
    setImmediate(() => void this.xapi.storage.scan(this.xapi.sr(pbd.srUuid)).catch(() => undefined));
  }

  /** An SR was forgotten: drives that still name its discs are emptied later. */
  afterForget(): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.collectGarbage();
    }, this.options.garbageCollectionDelayMs);
    this.#timers.add(timer.unref());
  }

  /** Empties the drives that name a disc which is gone. */
  collectGarbage(): void {
    for (const vbd of this.xapi.vbds) {
      if (vbd.vdiUuid === undefined || this.xapi.vdis.some(({ uuid }) => uuid === vbd.vdiUuid)) continue;
      vbd.vdiUuid = undefined;
      vbd.empty = true;
    }
  }

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
