import type SftpClient from "ssh2-sftp-client";
import { exec, type ExecOptions, type ExecResult } from "./exec";
import { Link } from "./link";
import { withSftp } from "./sftp";
import type { Script } from "./sh";
import { addressOf, type SshTarget } from "./target";

/**
 * One connection to a host, shared by all resources and operations of this process that log in with the same
 * credentials over the same route. Each of them checks the host's key in its own way.
 */
export class SharedConnection {
  static readonly #all = new Map<string, SharedConnection>();
  static readonly #links = new Map<string, Link>();

  /** The connection to this target: always the same object, open or not. */
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

  /** Whether the host has ever begun a command of this process. If not, nothing was made there. */
  get hasRun(): boolean {
    return this.link.hasRun;
  }

  /**
   * Runs a script. When all channels are busy, commands wait in order of arrival; an urgent one does not wait.
   */
  exec(script: Script, options: ExecOptions): Promise<ExecResult> {
    return this.link.use(this.target, (connection) => exec(connection, script, options), options);
  }

  /** Uses SFTP, which takes one of the same channels. */
  sftp<T>(work: (sftp: SftpClient) => Promise<T>): Promise<T> {
    return this.link.use(this.target, (connection) => withSftp(connection, work));
  }

  /** The public key that the host proved to own, as `ssh-ed25519 AAAA…`. */
  hostKey(): Promise<string> {
    return this.link.use(this.target, (connection) => Promise.resolve(connection.hostKey));
  }

  /** The cipher of the outgoing direction: `aes128-gcm@openssh.com`. */
  cipher(): Promise<string> {
    return this.link.use(this.target, (connection) => Promise.resolve(connection.cipher));
  }

  /** How many commands have run at once on the connection that is open. */
  mostCommandsAtOnce(): Promise<number> {
    return this.link.use(this.target, ({ sessions }) => Promise.resolve(sessions.mostOpen));
  }
}

/** The same text for the same values, in any order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([one], [other]) => (one < other ? -1 : 1)))
      : item,
  );
}
