import type { Client } from "ssh2";
import type { SshTarget } from "./target";

/** A connection that is logged in. Whoever opened it closes it. */
export interface Connection {
  readonly client: Client;
  readonly target: SshTarget;
  /** `host:port` for messages. */
  readonly address: string;
  /** The key that the host proved to have, as `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** The cipher for what is sent: `aes128-gcm@openssh.com`. */
  readonly cipher: string;
  /** The commands on it. */
  readonly sessions: Sessions;
  /** Aborted, with the reason, when the link is gone. */
  readonly lost: AbortSignal;
  readonly close: () => void;
}

/** Counts the channels of commands. */
export interface Sessions {
  open: number;
  /** The most that the host has allowed at once. */
  mostOpen: number;
  /** Whether the host has begun a command. */
  hasBegun: boolean;
}
