/** Where to log in and how: the `connection` of a resource with its defaults, fully resolved. */
export interface SshTarget {
  /** A name or an IP address (IPv6 without brackets). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string | undefined;
  /** The text of a private key, in any form that `ssh-keygen` reads. */
  readonly privateKey?: string | undefined;
  readonly privateKeyPassword?: string | undefined;
  /** Path of the agent's socket, on Windows of its named pipe. */
  readonly agentSocketPath?: string | undefined;
  /** Paths of private keys that are tried after the program's credentials, as OpenSSH's client does. */
  readonly identityFiles?: readonly string[] | undefined;
  /** Paths of certificates. They cannot be used, and a refused login says so. */
  readonly certificateFiles?: readonly string[] | undefined;
  /** Whether only those keys of the agent are tried that {@link identityFiles} name. */
  readonly identitiesOnly?: boolean | undefined;
  /** Keys of which the host may have any (`ssh-ed25519 AAAA…`, `SHA256:…`), or `ignore`; without it `known_hosts` decides. */
  readonly hostKey?: string | readonly string[] | undefined;
  /** Where `known_hosts` is, and the name to look up there, if not the usual ones. */
  readonly knownHosts?:
    { readonly files: readonly string[]; readonly alias?: string | undefined } | undefined;
  /** The jump host through which `host` is reached. */
  readonly proxy?: SshTarget | undefined;
  /** How many times to try the whole route; -1 for ever. */
  readonly dialErrorLimit: number;
  /** Timeout of one try, in seconds; 0 for no limit. */
  readonly perDialTimeout: number;
}

/** `host:port`, with brackets around an IPv6 address, as messages name a target. */
export function addressOf({ host, port }: Pick<SshTarget, "host" | "port">): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
