/** Where to log in and how: the `connection` of a resource after defaults, with nothing left to look up. */
export interface SshTarget {
  /** A name or an IP address (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string | undefined;
  /** PEM or OpenSSH text. */
  readonly privateKey?: string | undefined;
  readonly privateKeyPassword?: string | undefined;
  /** Path of the agent's socket, on Windows of its named pipe. */
  readonly agentSocketPath?: string | undefined;
  /** `ssh-ed25519 AAAA…`, `SHA256:…` or `ignore`; without it `known_hosts` decides. */
  readonly hostKey?: string | undefined;
  /** The jump host through which `host` is reached. */
  readonly proxy?: SshTarget | undefined;
  /** How many times a connection is tried; -1 for ever. */
  readonly dialErrorLimit: number;
  /** How long one try may take, in seconds; 0 for no limit. */
  readonly perDialTimeout: number;
}

/** `host:port`, with brackets around an IPv6 address, as messages name a target. */
export function addressOf({ host, port }: Pick<SshTarget, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
