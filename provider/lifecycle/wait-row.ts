import type { Wait } from "../ssh/wait";

/** Shorter waits are not shown. */
export const QUIET_WAIT_MS = 5_000;

/** The waits of one operation. Shows each that lasts long, once. */
export class WaitRow {
  readonly #timers = new Map<Wait, NodeJS.Timeout>();

  /** @param show called with the text of a wait that lasts long */
  constructor(private readonly show: (text: string) => void) {}

  begin(wait: Wait): void {
    const timer = setTimeout(() => {
      this.show(`waiting for ${oneLine(wait.what)}, at most ${wait.atMost}`);
    }, QUIET_WAIT_MS).unref();
    this.#timers.set(wait, timer);
  }

  end(wait: Wait): void {
    clearTimeout(this.#timers.get(wait));
    this.#timers.delete(wait);
  }

  /** Restarts the timers: something has moved. */
  moved(): void {
    for (const timer of this.#timers.values()) timer.refresh();
  }

  endAll(): void {
    for (const wait of [...this.#timers.keys()]) this.end(wait);
  }
}

/** A host's words could steer the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}
