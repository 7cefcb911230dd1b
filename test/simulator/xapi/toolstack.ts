import { setTimeout as sleep } from "node:timers/promises";

/** Whether xapi answers on a host. */
export type ToolstackState = "up" | "down" | "initialising";

/** xapi as a process of one host. */
export class Toolstack {
  state: ToolstackState = "up";
  /** A member whose coordinator is gone for good: it refuses everything. */
  isInEmergencyMode = false;
  #end: () => void = () => undefined;
  #stopped = this.#newRun();
  #break: () => void = () => undefined;
  #linkBroken = this.#newLink();

  /** Resolves when this run of it ends: whoever waits for a reply then has lost it. */
  get stopped(): Promise<undefined> {
    return this.#stopped;
  }

  /** Resolves when the link to the coordinator breaks next. */
  get linkBroken(): Promise<undefined> {
    return this.#linkBroken;
  }

  /** The coordinator loses what it has handed to this member, which goes on with it; a new link is there at once. */
  breakLink(): void {
    this.#break();
    this.#linkBroken = this.#newLink();
  }

  stop(): void {
    this.state = "down";
    this.#end();
    this.#stopped = this.#newRun();
  }

  /**
   * Nothing to do when it was started in the meantime: restarts may overlap.
   *
   * @param initialisingMs how long it answers only that it is not ready yet
   * @param plug what every start of xapi does: plugs the host's PBDs
   */
  async start({ initialisingMs = 0 }, plug: () => Promise<void>): Promise<void> {
    if (this.state !== "down") return;
    const run = this.#stopped;
    this.state = "initialising";
    if (initialisingMs > 0) await sleep(initialisingMs);
    await plug();
    if (this.#stopped === run) this.state = "up";
  }

  #newRun(): Promise<undefined> {
    return new Promise((resolve) => (this.#end = () => resolve(undefined)));
  }

  #newLink(): Promise<undefined> {
    return new Promise((resolve) => (this.#break = () => resolve(undefined)));
  }
}
