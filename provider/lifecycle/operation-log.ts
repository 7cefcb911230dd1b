import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import { type Progress, progressChannel } from "../host/progress";
import { commandChannel, type EndedCommand } from "../ssh/command-channel";
import { debug, showStatus } from "./engine-log";
import { progressText, RateMeter } from "./progress-text";
import { isTerminal } from "./terminal";
import { Throttle } from "./throttle";

/** On a terminal a row changes in place; elsewhere each message is a line that stays. */
const INTERVAL_MS = { terminal: 250, lines: 5_000 } as const;

const running = new AsyncLocalStorage<OperationLog>();

/**
 * Runs an operation of a resource. What it is at is shown in the resource's row; what it runs on the host is in the
 * engine's log for `--debug`.
 *
 * @param urn as it is in the state, where nothing newer is known. After a rename that one is stale, and what the
 * operation tells gets a row of its own: better than none, and than one that is not the resource's.
 */
export async function whileLogged<T>(urn: string, operation: () => T | Promise<T>): Promise<T> {
  listen();
  const log = new OperationLog(urn);
  try {
    return await running.run(log, operation);
  } finally {
    log.end();
  }
}

/** What one operation tells the engine. */
class OperationLog {
  readonly #rate = new RateMeter();
  readonly #row: Throttle;
  #latest: Progress | undefined;
  #isShown = false;

  constructor(private readonly urn: string) {
    const isOnTerminal = isTerminal();
    const intervalMs = isOnTerminal ? INTERVAL_MS.terminal : INTERVAL_MS.lines;
    // Where lines stay, an operation that is done within the interval writes none.
    this.#row = new Throttle(intervalMs, () => this.#show(), { isAtOnce: isOnTerminal });
  }

  progress(progress: Progress): void {
    if (progress.step === "uploading") this.#rate.add(progress.sentBytes, performance.now());
    this.#latest = progress;
    this.#row.ask();
  }

  command({ host, purpose, durationMs, outcome }: EndedCommand): void {
    const ending = typeof outcome === "number" ? `exit status ${outcome}` : outcome;
    debug(this.urn, `${host}: ${purpose}: ${ending}, ${durationMs} ms`);
  }

  end(): void {
    this.#row.end();
    // The engine would keep it beside "created" until the whole run has ended.
    if (this.#isShown) showStatus(this.urn, "");
  }

  #show(): void {
    if (!this.#latest) return;
    this.#isShown = true;
    showStatus(this.urn, progressText(this.#latest, this.#rate.bytesPerSecond));
  }
}

let isListening = false;

function listen(): void {
  if (isListening) return;
  isListening = true;
  subscribe(progressChannel.name, (message) => running.getStore()?.progress(message as Progress));
  subscribe(commandChannel.name, (message) => running.getStore()?.command(message as EndedCommand));
}
