import type { Wait } from "../ssh/wait";

/** Shorter waits are not worth a word. */
export const QUIET_WAIT_MS = 5_000;

/** The waits of one operation. Shows the latest of those that have become long, each once. */
export class WaitRow {
  readonly #timers = new Map<Wait, NodeJS.Timeout>();

  /** @param show is given the text of a wait that has become long */
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

  /** Something has moved: waits become long anew. */
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
