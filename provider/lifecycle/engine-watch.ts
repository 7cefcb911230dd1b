import { setMaxListeners } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { engineAddress } from "./engine-address";

/**
 * The process that hosts dynamic providers goes on when the engine is killed, and would finish a create that
 * nobody records. This notices it, lets what is under way roll back, and ends the process.
 */
const gone = new AbortController();
// One listener for each upload under way, however many these are.
setMaxListeners(0, gone.signal);

/** Aborted once the engine is gone. */
export const engineGone: AbortSignal = gone.signal;

const ALIVE_CHECK_MS = 500;

/** How long a create waits for certainty before it counts as done. */
const DOUBT_MS = 3_000;

let isWatching = false;
let hasInputEnded = false;
let underWay = 0;

/** Begins to watch, once, and only in the process that hosts dynamic providers. */
export function watchEngine(): void {
  const address = engineAddress();
  if (isWatching || !address) return;
  isWatching = true;
  // The engine holds the other end of standard input. (Not process.ppid: a shell stands in between.)
  process.stdin.once("end", () => {
    hasInputEnded = true;
    void endOnceGone(address);
  });
  process.stdin.resume().unref();
}

/** A second opinion: standard input may have been taken away from an engine that lives, or is not yet quite dead. */
async function endOnceGone(address: string): Promise<void> {
  while (await isListening(address)) await sleep(ALIVE_CHECK_MS);
  gone.abort(new Error("The Pulumi engine is gone: what was under way is undone."));
  if (underWay === 0) process.exit(1);
}

/**
 * Makes sure that somebody takes what was made; where that is in doubt, it waits a moment for certainty.
 *
 * @throws the reason of {@link engineGone}
 */
export async function assertEngine(): Promise<void> {
  const startedAt = Date.now();
  const isInDoubt = () => hasInputEnded && !engineGone.aborted && Date.now() - startedAt < DOUBT_MS;
  while (isInDoubt()) await sleep(100);
  engineGone.throwIfAborted();
}

/** Counts an operation as under way, so that the process lives until it has rolled back. */
export async function whileUnderWay<T>(operation: () => T | Promise<T>): Promise<T> {
  underWay++;
  try {
    return await operation();
  } finally {
    underWay--;
    if (engineGone.aborted && underWay === 0) process.exit(1);
  }
}

function isListening(address: string): Promise<boolean> {
  const colon = address.lastIndexOf(":");
  return new Promise((resolve) => {
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon));
    socket.setTimeout(2_000);
    for (const [event, isAlive] of [
      ["connect", true],
      ["error", false],
      ["timeout", false],
    ] as const)
      socket.once(event, () => {
        socket.destroy();
        resolve(isAlive);
      });
  });
}
