/**
 * Limits how many tasks run at once; the others wait in order of arrival. Own code, because the limiters on npm
 * that CommonJS can load cannot run a task beyond the limit and still count it.
 */
export class Semaphore {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many tasks run now. */
  get running(): number {
    return this.#running;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Takes effect as running tasks end. */
  set limit(limit: number) {
    this.#limit = limit;
    while (this.#running < limit && this.#waiting.length > 0) {
      this.#running++;
      this.#waiting.shift()?.();
    }
  }

  /** Whether nothing runs or waits. */
  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Runs `work` once fewer than the limit are running. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    return this.#run(work);
  }

  /** Runs `work` without waiting, even beyond the limit. */
  async useAtOnce<T>(work: () => Promise<T>): Promise<T> {
    this.#running++;
    return this.#run(work);
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      // Passes the slot on to a waiter, so that no newcomer is served first.
      const next = this.#running <= this.#limit ? this.#waiting.shift() : undefined;
      if (next) next();
      else this.#running--;
    }
  }
}
