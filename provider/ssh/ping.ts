import type { Client } from "ssh2";

/** `ssh2` pings only at intervals, and does not report the reply. */
interface Pinging {
  readonly _callbacks: ((isRefused: boolean | Error) => void)[];
  readonly _protocol: { ping(): void };
}

/**
 * Asks the host for a reply, which comes once the host has read everything that was sent before. A failure counts too:
 * the host need not know the request.
 *
 * @param onAnswer not called if the link is lost first
 * @see RFC 4254, section 4
 */
export function ping(client: Client, onAnswer: () => void): void {
  const { _callbacks: callbacks, _protocol: protocol } = client as unknown as Pinging;
  callbacks.push((isRefused) => {
    if (typeof isRefused === "boolean") onAnswer();
  });
  protocol.ping();
}
