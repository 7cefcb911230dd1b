import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A link counts as lost when no byte has moved for this long, in seconds. */
export const DEAD_SECONDS = 30;

/** After how many seconds of silence to ping the host. */
const QUIET_SECONDS = 7;

/**
 * Watches a link. It is alive while bytes arrive from the host, or while our bytes leave a queue that was full. The
 * reply to a ping can be late, because the ping waits behind everything that was sent before.
 *
 * @param ping asks the host for a reply
 * @param onDead called once no byte has moved for {@link DEAD_SECONDS}
 * @returns the function that ends the watch
 */
export function watchLink(stream: Duplex, ping: () => void, onDead: () => void): () => void {
  const socket = stream as Duplex & Partial<Pick<Socket, "bytesWritten">>;
  // The kernel buffers bytes for a dead host too. Only a queue behind a full buffer shows that the host takes some.
  const drainedBytes = () => (socket.bytesWritten ?? 0) - stream.writableLength;
  let drainedBefore = drainedBytes();
  let wasFull = false;
  // Counted, not measured: a program that was busy or stopped for a minute has not read the bytes of that minute.
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
