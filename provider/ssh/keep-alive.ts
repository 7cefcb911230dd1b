import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** How long not one byte may move before a link counts as lost, in seconds. */
export const DEAD_SECONDS = 30;

/** After how many seconds of silence the host is asked for an answer. */
const QUIET_SECONDS = 7;

/**
 * Watches a link. It is alive while bytes of the host arrive, or bytes of ours leave a queue that was full: an answer
 * can be late, because the question waits behind everything that was sent before.
 *
 * @param ping asks the host for an answer
 * @param onDead called once no byte has moved for {@link DEAD_SECONDS}
 * @returns ends the watch
 */
export function watchLink(stream: Duplex, ping: () => void, onDead: () => void): () => void {
  const socket = stream as Duplex & Partial<Pick<Socket, "bytesWritten">>;
  // The kernel's buffer takes bytes for a dead host too. Only a queue behind a full one says that the host takes some.
  const drainedBytes = () => (socket.bytesWritten ?? 0) - stream.writableLength;
  let drainedBefore = drainedBytes();
  let wasFull = false;
  // Counted, not measured: after a program that was busy or stopped for a minute, the bytes of that minute are unread.
  let silentSeconds = 0;
  const onData = () => (silentSeconds = 0);
  stream.on("data", onData);
  const timer = setInterval(() => {
    const drained = drainedBytes();
    silentSeconds = wasFull && drained > drainedBefore ? 0 : silentSeconds + 1;
    wasFull = stream.writableLength > 0;
    drainedBefore = drained;
    if (silentSeconds >= DEAD_SECONDS) {
      end();
      onDead();
    } else if (silentSeconds > 0 && silentSeconds % QUIET_SECONDS === 0) ping();
  }, 1_000).unref();
  const end = () => {
    clearInterval(timer);
    stream.off("data", onData);
  };
  return end;
}
