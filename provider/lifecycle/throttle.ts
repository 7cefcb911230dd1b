/** Lets `show` be called at most once in an interval, the last time for whatever was asked for last. */
export class Throttle {
  #shownAt: number;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

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
    if (this.#hasEnded) return;
    const waitMs = this.#shownAt + this.intervalMs - performance.now();
    if (waitMs <= 0) this.#showNow();
    else this.#timer ??= setTimeout(() => this.#showNow(), waitMs).unref();
  }

  /** Nothing is shown any more, whoever still asks. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#timer);
  }

  #showNow(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#shownAt = performance.now();
    this.show();
  }
}
