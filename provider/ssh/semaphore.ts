/**
 * Limits how many pieces of work run at once; the others wait in order of arrival.
 *
 * Own code, because the limiters on npm that CommonJS can load have no work that skips the queue and still counts.
 */
export class Semaphore {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly limit: number) {}

  /** Whether nothing runs or waits. */
  get isIdle(): boolean {
    return this.#running === 0;
  }

  /** Runs `work` once fewer than the limit are running. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
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
      // A waiter takes over the slot, so that nobody who arrives now is served first.
      const next = this.#running <= this.limit ? this.#waiting.shift() : undefined;
      if (next) next();
      else this.#running--;
    }
  }
}
