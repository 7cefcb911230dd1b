import type SftpClient from "ssh2-sftp-client";
import { connect, type Connection } from "./connect";
import { exec, type ExecOptions, type ExecResult } from "./exec";
import { withSftp } from "./sftp";
import type { Script } from "./sh";
import { addressOf, type SshTarget } from "./target";

/**
 * How many commands run at once on one connection. OpenSSH's `MaxSessions` is 10; a channel counts there until
 * the server has handled its close, so the last one stays free.
 */
const MOST_CHANNELS = 9;

/** How many of them may move many bytes: a large upload does not starve the small commands of others. */
const MOST_BULK = 7;

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
  readonly #places = new Places(MOST_CHANNELS);
  readonly #bulkPlaces = new Places(MOST_BULK);
  #idle: NodeJS.Timeout | undefined;

  private constructor(readonly target: SshTarget) {
    this.address = addressOf(target);
  }

  /** Runs a script; commands that find all channels taken wait their turn, first come first served. */
  exec(script: Script, options: ExecOptions): Promise<ExecResult> {
    const run = () => this.#use((connection) => exec(connection, script, options));
    return options.isBulk ? this.#bulkPlaces.use(run) : run();
  }

  /** Uses SFTP; it takes one of the same places. */
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

  async #use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    try {
      return await this.#places.use(async () => work(await this.#connected()));
    } finally {
      if (this.#places.areFree) {
        // Of several that end at once each comes by here: a timer that is forgotten would cut off a later command.
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

/** So many may be at work at once; the others wait their turn. */
class Places {
  #taken = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly count: number) {}

  get areFree(): boolean {
    return this.#taken === 0;
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    if (this.#taken === this.count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#taken++;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // Whoever waits takes over the place, so that nobody who comes now is served before.
      if (next) next();
      else this.#taken--;
    }
  }
}
