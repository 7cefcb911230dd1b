/** Calls `show` at most once per interval, and once more after the last request. */
export class Throttle {
  #shownAt: number;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /** @param isAtOnce whether the first call happens at once instead of after an interval */
  constructor(
    private readonly intervalMs: number,
    private readonly show: () => void,
    { isAtOnce }: { isAtOnce: boolean },
  ) {
    this.#shownAt = isAtOnce ? -Infinity : performance.now();
  }

  /** Requests a call of `show`: now, or when the interval is over. */
  ask(): void {
    if (this.#hasEnded) return;
    const waitMs = this.#shownAt + this.intervalMs - performance.now();
    if (waitMs <= 0) this.#showNow();
    else this.#timer ??= setTimeout(() => this.#showNow(), waitMs).unref();
  }

  /** Ignores every later request. */
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
