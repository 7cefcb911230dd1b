import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe } from "node:diagnostics_channel";
import { type Progress, progressChannel } from "../host/progress";
import { commandChannel, type EndedCommand } from "../ssh/command-channel";
import { type WaitMessage, waitChannel } from "../ssh/wait";
import { debug, showStatus } from "./engine-log";
import { progressText, RateMeter } from "./progress-text";
import { isTerminal } from "./terminal";
import { Throttle } from "./throttle";
import { WaitRow } from "./wait-row";

/** A terminal rewrites the row in place; elsewhere each message stays as a line. */
const INTERVAL_MS = { terminal: 250, lines: 5_000 } as const;

const running = new AsyncLocalStorage<OperationLog>();

/**
 * Runs an operation of a resource. Shows its progress in the resource's row, and its commands in the engine's
 * debug log.
 *
 * @param urn of the resource. Without a session, read and delete only know the URN in the state: after a rename
 * that one is stale, and the progress gets a row of its own.
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

/** Reports one operation to the engine. */
class OperationLog {
  readonly #rate = new RateMeter();
  readonly #row: Throttle;
  readonly #waits = new WaitRow((text) => this.#showText(text));
  #latest: Progress | undefined;
  #isShown = false;

  constructor(private readonly urn: string) {
    const isOnTerminal = isTerminal();
    const intervalMs = isOnTerminal ? INTERVAL_MS.terminal : INTERVAL_MS.lines;
    // Without a terminal, an operation shorter than the interval writes no line.
    this.#row = new Throttle(intervalMs, () => this.#show(), { isAtOnce: isOnTerminal });
  }

  progress(progress: Progress): void {
    if (progress.step === "uploading") this.#rate.add(progress.sentBytes, performance.now());
    this.#latest = progress;
    this.#row.ask();
    this.#waits.moved();
  }

  wait({ wait, isOver }: WaitMessage): void {
    if (isOver) this.#waits.end(wait);
    else this.#waits.begin(wait);
  }

  command({ host, purpose, durationMs, outcome }: EndedCommand): void {
    const ending = typeof outcome === "number" ? `exit status ${outcome}` : outcome;
    debug(this.urn, `${host}: ${purpose}: ${ending}, ${durationMs} ms`);
  }

  end(): void {
    this.#row.end();
    this.#waits.endAll();
    // Otherwise the engine keeps the text beside "created" until the run ends.
    if (this.#isShown) showStatus(this.urn, "");
  }

  #show(): void {
    if (this.#latest) this.#showText(progressText(this.#latest, this.#rate.bytesPerSecond));
  }

  #showText(text: string): void {
    this.#isShown = true;
    showStatus(this.urn, text);
  }
}

let isListening = false;

function listen(): void {
  if (isListening) return;
  isListening = true;
  subscribe(progressChannel.name, (message) => running.getStore()?.progress(message as Progress));
  subscribe(waitChannel.name, (message) => running.getStore()?.wait(message as WaitMessage));
  subscribe(commandChannel.name, (message) => running.getStore()?.command(message as EndedCommand));
}
