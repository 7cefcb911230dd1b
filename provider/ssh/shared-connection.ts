import type SftpClient from "ssh2-sftp-client";
import { connect, type Connection } from "./connect";
import { exec, type ExecOptions, type ExecResult } from "./exec";
import { Semaphore } from "./semaphore";
import { withSftp } from "./sftp";
import type { Script } from "./sh";
import { addressOf, type SshTarget } from "./target";

/** How many commands run at once on one connection: OpenSSH's `MaxSessions` is 10, and one is kept for urgent commands. */
const MAX_CHANNELS = 9;

/** How many of them may be bulk transfers, so that a large upload does not starve the small commands of others. */
const MAX_BULK_CHANNELS = 7;

/** How long a connection is kept after its last command. */
const IDLE_MS = 5_000;

/**
 * One connection to a host, shared by every resource and operation of this process that logs in there in the
 * same way. It is opened by the first command, opened anew by the next one after it broke, and closed when
 * idle, so that it holds no process open.
 */
export class SharedConnection {
  static readonly #all = new Map<string, SharedConnection>();

  /** The connection for this target: always the same object, open or not. */
  static to(target: SshTarget): SharedConnection {
    const key = JSON.stringify(target);
    const shared = this.#all.get(key) ?? new SharedConnection(target);
    this.#all.set(key, shared);
    return shared;
  }

  /** `host:port` for messages. */
  readonly address: string;
  #connection: Promise<Connection> | undefined;
  readonly #channels = new Semaphore(MAX_CHANNELS);
  readonly #bulkChannels = new Semaphore(MAX_BULK_CHANNELS);
  #idle: NodeJS.Timeout | undefined;

  private constructor(readonly target: SshTarget) {
    this.address = addressOf(target);
  }

  /** Runs a script. When all channels are taken, commands wait in order of arrival; an urgent one does not wait. */
  exec(script: Script, options: ExecOptions): Promise<ExecResult> {
    const run = () => this.#use((connection) => exec(connection, script, options), options.isUrgent);
    return options.isBulk ? this.#bulkChannels.use(run) : run();
  }

  /** Uses SFTP, which takes one of the same channels. */
  sftp<T>(work: (sftp: SftpClient) => Promise<T>): Promise<T> {
    return this.#use((connection) => withSftp(connection, work));
  }

  /** The key that the host proved to have, as `ssh-ed25519 AAAA…`. */
  hostKey(): Promise<string> {
    return this.#use((connection) => Promise.resolve(connection.hostKey));
  }

  /** What is sent is encrypted with it: `aes128-gcm@openssh.com`. */
  cipher(): Promise<string> {
    return this.#use((connection) => Promise.resolve(connection.cipher));
  }

  async #use<T>(work: (connection: Connection) => Promise<T>, isUrgent = false): Promise<T> {
    clearTimeout(this.#idle);
    const run = async () => work(await this.#connected());
    try {
      return await (isUrgent ? this.#channels.useAtOnce(run) : this.#channels.use(run));
    } finally {
      if (this.#channels.isIdle) {
        // Several commands that end at once all get here: a timer left behind would cut off a later command.
        clearTimeout(this.#idle);
        this.#idle = setTimeout(() => void this.#close(), IDLE_MS);
      }
    }
  }

  async #connected(): Promise<Connection> {
    const opening = (this.#connection ??= connect(this.target));
    // Others may wait for the same, and one of them have begun to open it anew.
    const forget = () => {
      if (this.#connection === opening) this.#connection = undefined;
    };
    try {
      const connection = await opening;
      if (!connection.lost.aborted) return connection;
    } catch (error) {
      forget();
      throw error;
    }
    forget();
    return this.#connected();
  }

  async #close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.then(
      ({ close }) => close(),
      () => undefined,
    );
  }
}
