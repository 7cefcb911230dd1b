import type SftpClient from "ssh2-sftp-client";
import { exec, type ExecOptions, type ExecResult } from "./exec";
import { Link } from "./link";
import { withSftp } from "./sftp";
import type { Script } from "./sh";
import { addressOf, type SshTarget } from "./target";

/**
 * One connection to a host, shared by every resource and operation of this process that logs in there with the same
 * credentials by the same route. Each of them has the host's key checked in its own way.
 */
export class SharedConnection {
  static readonly #all = new Map<string, SharedConnection>();
  static readonly #links = new Map<string, Link>();

  /** The connection for this target: always the same object, open or not. */
  static to(target: SshTarget): SharedConnection {
    const { hostKey, knownHosts, ...login } = target;
    const linkKey = canonical(hostKey === "ignore" ? { ...login, hostKey } : login);
    const link = this.#links.get(linkKey) ?? new Link();
    this.#links.set(linkKey, link);
    const key = canonical(target);
    const shared = this.#all.get(key) ?? new SharedConnection(target, link);
    this.#all.set(key, shared);
    return shared;
  }

  /** `host:port` for messages. */
  readonly address: string;

  private constructor(
    readonly target: SshTarget,
    private readonly link: Link,
  ) {
    this.address = addressOf(target);
  }

  /** Whether the host has ever begun a command of this process: if not, nothing was made there. */
  get hasRun(): boolean {
    return this.link.hasRun;
  }

  /** Runs a script. When all channels are taken, commands wait in order of arrival; an urgent one does not wait. */
  exec(script: Script, options: ExecOptions): Promise<ExecResult> {
    return this.link.use(this.target, (connection) => exec(connection, script, options), options);
  }

  /** Uses SFTP, which takes one of the same channels. */
  sftp<T>(work: (sftp: SftpClient) => Promise<T>): Promise<T> {
    return this.link.use(this.target, (connection) => withSftp(connection, work));
  }

  /** The key that the host proved to have, as `ssh-ed25519 AAAA…`. */
  hostKey(): Promise<string> {
    return this.link.use(this.target, (connection) => Promise.resolve(connection.hostKey));
  }

  /** The cipher for what is sent: `aes128-gcm@openssh.com`. */
  cipher(): Promise<string> {
    return this.link.use(this.target, (connection) => Promise.resolve(connection.cipher));
  }
}

/** The same text for the same values, in whatever order they were put together. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
