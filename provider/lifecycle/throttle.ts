/** Lets `show` be called at most once in an interval, the last time for whatever was asked for last. */
export class Throttle {
  #shownAt: number;
  #timer: NodeJS.Timeout | undefined;

  /** @param isAtOnce whether the first call is not preceded by an interval, too */
  constructor(
    private readonly intervalMs: number,
    private readonly show: () => void,
    { isAtOnce }: { isAtOnce: boolean },
  ) {
    this.#shownAt = isAtOnce ? -Infinity : performance.now();
  }

  /** Calls `show` now or once the interval is over. */
  ask(): void {
    const waitMs = this.#shownAt + this.intervalMs - performance.now();
    if (waitMs <= 0) this.#showNow();
    else this.#timer ??= setTimeout(() => this.#showNow(), waitMs).unref();
  }

  /** There is nothing to show any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #showNow(): void {
    this.end();
    this.#shownAt = performance.now();
    this.show();
  }
}
