import { setMaxListeners } from "node:events";
import { fstatSync } from "node:fs";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { starterAddress } from "./engine-address";
import { currentSession } from "./session";

/**
 * A provider process outlives an engine that is killed, and would finish a create that nobody records. This module
 * notices the engine's death, lets operations under way roll back, and ends the process.
 */
const gone = new AbortController();
// Each running upload adds a listener.
setMaxListeners(0, gone.signal);

/** Aborted when nobody waits for the running create or update any more: it has to stop and roll back. */
export function abandoned(): AbortSignal {
  const { signal } = currentSession() ?? {};
  return signal ? AbortSignal.any([gone.signal, signal]) : gone.signal;
}

const ALIVE_CHECK_MS = 500;

/** How long a create waits to learn whether the engine is gone, before it counts as done. */
const DOUBT_MS = 3_000;

let isWatching = false;
let hasInputEnded = false;
let underWay = 0;

/**
 * Starts to watch the engine. Does nothing in a process that no engine started, such as a plugin that one engine after
 * another attaches to, or when called again.
 */
export function watchEngine(): void {
  const address = starterAddress();
  if (isWatching || !address) return;
  isWatching = true;
  if (!isPipe(0)) {
    // A language host started this process, with nothing on its stdin.
    void endOnceGone(address);
    return;
  }
  // The engine holds the other end of stdin. (process.ppid would not do: there may be a shell in between.)
  process.stdin.once("end", () => {
    hasInputEnded = true;
    void endOnceGone(address);
  });
  process.stdin.resume().unref();
}

function isPipe(fd: number): boolean {
  const stats = fstatSync(fd);
  return stats.isFIFO() || stats.isSocket();
}

/**
 * End of stdin alone proves nothing: another process may have closed it, or the engine may still be running.
 */
async function endOnceGone(address: string): Promise<void> {
  while (await isListening(address)) await sleep(ALIVE_CHECK_MS, undefined, { ref: false });
  endProcess(new Error("The Pulumi engine is gone: operations under way are undone."));
}

/** Lets every running create and update roll back, then ends the process. */
export function endProcess(reason: Error): void {
  gone.abort(reason);
  if (underWay === 0) process.exit(1);
}

/**
 * Checks that somebody still waits for the result. If stdin has ended, waits a moment to be certain.
 *
 * @throws the reason of {@link abandoned}
 */
export async function assertWanted(): Promise<void> {
  const startedAt = Date.now();
  const isInDoubt = () => hasInputEnded && !gone.signal.aborted && Date.now() - startedAt < DOUBT_MS;
  while (isInDoubt()) await sleep(100);
  abandoned().throwIfAborted();
}

/** Counts a running operation, so that the process stays alive until it has rolled back. */
export async function whileUnderWay<T>(operation: () => T | Promise<T>): Promise<T> {
  underWay++;
  try {
    return await operation();
  } finally {
    underWay--;
    if (gone.signal.aborted && underWay === 0) process.exit(1);
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
