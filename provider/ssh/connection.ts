import type { Client } from "ssh2";
import type { SendWindow } from "./send-window";
import type { SshTarget } from "./target";

/** A connection after login. The caller that opened it closes it. */
export interface Connection {
  readonly client: Client;
  readonly target: SshTarget;
  /** `host:port` for messages. */
  readonly address: string;
  /** The public key that the host proved to own, as `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The cipher of the outgoing direction: `aes128-gcm@openssh.com`. */
  readonly cipher: string;
  /** The commands on it. */
  readonly sessions: Sessions;
  /** What is on the way to the host. */
  readonly outgoing: SendWindow;
  /** Aborted, with the reason, when the link is lost. */
  readonly lost: AbortSignal;
  readonly close: () => void;
}

/** Counts the channels of commands. */
export interface Sessions {
  open: number;
  /** The most channels that the host has allowed at once. */
  mostOpen: number;
  /** Whether the host has begun a command. */
  hasBegun: boolean;
}
