import type { Client } from "ssh2";

/** `ssh2` sends this question by itself only at intervals, and tells nobody of the answer. */
interface Pinging {
  readonly _callbacks: ((isRefused: boolean | Error) => void)[];
  readonly _protocol: { ping(): void };
}

/**
 * Asks the host for an answer. It comes once the host has read everything that was sent before; an answer to
 * something it does not know is one too.
 *
 * @param onAnswer not called if the link is lost before
 * @see RFC 4254, section 4
 */
export function ping(client: Client, onAnswer: () => void): void {
  const { _callbacks: callbacks, _protocol: protocol } = client as unknown as Pinging;
  callbacks.push((isRefused) => {
    if (typeof isRefused === "boolean") onAnswer();
  });
  protocol.ping();
}
