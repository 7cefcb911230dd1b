import { connect, limitOf } from "./connect";
import type { Connection } from "./connection";
import { isSpentLogin, SshError } from "./error";
import { loadHostKeyPolicy } from "./host-key";
import { retry } from "./retry";
import { Semaphore } from "./semaphore";
import { addressOf, type SshTarget } from "./target";
import { beginWait, waiting } from "./wait";

/** How many commands run at once on one connection: OpenSSH's `MaxSessions` is 10, and one is kept for urgent commands. */
export const MAX_CHANNELS = 9;

/** How many channels bulk transfers leave to the small commands of others. */
const NOT_BULK = 2;

/** How long a connection is kept after its last command. */
const IDLE_MS = 5_000;

/** sshd frees a session only after it has handled the close of a channel, so a refused one is asked for again. */
const REFUSED_AGAIN = {
  isPassing: isRefusedChannel,
  firstPauseMs: 50,
  growth: 1.6,
  longestPauseMs: 1_000,
  attempts: 6,
};

/** How long a refused login holds for operations that come after it: the resources of one run come within this time. */
const REFUSAL_MS = 60_000;

/** How often a host may refuse its only session, each time after all tries. */
const MAX_IDLE_REFUSALS = 3;

/** What a piece of work needs of a link. */
export interface Use {
  readonly isBulk?: boolean | undefined;
  readonly isUrgent?: boolean | undefined;
}

/**
 * A connection that is opened by the first command, opened anew by the next one after it broke, and closed when idle,
 * so that it holds no process open. Logins that differ only in how they check the host's key share it.
 */
export class Link {
  readonly #channels = new Semaphore(MAX_CHANNELS);
  readonly #bulkChannels = new Semaphore(MAX_CHANNELS - NOT_BULK);
  #connection: { readonly opening: Promise<Connection>; readonly target: SshTarget } | undefined;
  /** The key of the host that a login has checked. */
  readonly #checked = new WeakMap<SshTarget, string>();
  #failure: { readonly error: unknown; readonly atMs: number } | undefined;
  #idle: NodeJS.Timeout | undefined;
  #hasRun = false;
  /** Another connection, for urgent work that found no session left on this one. */
  #spare: Link | undefined;

  /** Whether the host has ever begun a command over this link. */
  get hasRun(): boolean {
    return this.#hasRun;
  }

  /**
   * Does work on the connection of `target`. Work that finds all channels taken waits in order of arrival; urgent work
   * does not wait, and has a connection of its own if it must.
   */
  async use<T>(
    target: SshTarget,
    work: (connection: Connection) => Promise<T>,
    { isBulk, isUrgent }: Use = {},
  ): Promise<T> {
    const run = () => this.#useWithinSessions(target, work, isUrgent === true);
    return isBulk ? this.#bulkChannels.use(run) : run();
  }

  /**
   * A host that allows fewer sessions than are taken here refuses one: from then on fewer are taken, and one of them is
   * kept for urgent work.
   */
  async #useWithinSessions<T>(
    target: SshTarget,
    work: (connection: Connection) => Promise<T>,
    isUrgent: boolean,
  ): Promise<T> {
    const beganMs = performance.now();
    for (let idleRefusals = 0; ;) {
      let connection: Connection | undefined;
      try {
        const endTurn = beginWait({
          what: `one of ${this.#channels.limit} commands on ${addressOf(target)} to end`,
          atMost: "as long as these may take",
        });
        try {
          const waitingFor = `${addressOf(target)} to free a session`;
          return await retry({ ...REFUSED_AGAIN, waitingFor }, () =>
            this.#useChannel(async () => {
              endTurn();
              return work((connection = await this.#connected(target, beganMs)));
            }, isUrgent),
          );
        } finally {
          endTurn();
        }
      } catch (error) {
        const { open = 0, mostOpen = 0 } = connection?.sessions ?? {};
        if (!isRefusedChannel(error)) throw error;
        // Without another channel there is nothing to wait for, except that sshd handles the close of the last one.
        if (open === 0 && (mostOpen === 0 || ++idleRefusals > MAX_IDLE_REFUSALS)) throw error;
        const sessions = Math.max(open, mostOpen);
        this.#channels.limit = Math.min(this.#channels.limit, Math.max(1, sessions - 1));
        this.#bulkChannels.limit = Math.max(1, this.#channels.limit - NOT_BULK);
        // The commands that hold all sessions now may take minutes.
        if (isUrgent && open > 0) return await (this.#spare ??= new Link()).use(target, work);
      } finally {
        this.#hasRun ||= connection?.sessions.hasBegun === true;
      }
    }
  }

  async #useChannel<T>(work: () => Promise<T>, isUrgent: boolean): Promise<T> {
    clearTimeout(this.#idle);
    try {
      return await (isUrgent ? this.#channels.useAtOnce(work) : this.#channels.use(work));
    } finally {
      if (this.#channels.isIdle) {
        // Several commands that end at once all get here: a timer left behind would cut off a later command.
        clearTimeout(this.#idle);
        this.#idle = setTimeout(() => void this.#close(), IDLE_MS);
      }
    }
  }

  async #connected(target: SshTarget, beganMs: number): Promise<Connection> {
    this.#assertNotFailed(beganMs);
    const current = (this.#connection ??= { opening: connect(target), target });
    // Others may wait for the same, and one of them may have begun to open it anew.
    const forget = () => {
      if (this.#connection === current) this.#connection = undefined;
    };
    let connection: Connection;
    try {
      const wait = { what: `a login to ${addressOf(target)}`, atMost: limitOf(target) };
      connection = await waiting(wait, () => current.opening);
      this.#failure = undefined;
    } catch (error) {
      forget();
      // Another login's check of the host's key says nothing about this one's.
      if (current.target !== target && isHostKeyRefusal(error)) return this.#connected(target, beganMs);
      if (!isHostKeyRefusal(error)) this.#failure = { error, atMs: performance.now() };
      throw error;
    }
    if (connection.lost.aborted) {
      forget();
      return this.#connected(target, beganMs);
    }
    await this.#assertHostKey(connection, target);
    return connection;
  }

  /**
   * Operations that waited for a login that failed have failed with it. After a refusal the later ones have, too: each
   * would send the same credentials, which locks accounts.
   */
  #assertNotFailed(beganMs: number): void {
    if (!this.#failure) return;
    const { error, atMs } = this.#failure;
    if (beganMs < atMs + (isSpentLogin(error) ? REFUSAL_MS : 0)) throw error;
  }

  /** The connection may have been opened for a login that checks the host's key in another way. */
  async #assertHostKey({ hostKey, target: opener }: Connection, target: SshTarget): Promise<void> {
    if (opener === target || this.#checked.get(target) === hostKey) return;
    const blob = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
    const refusal = (await loadHostKeyPolicy(target)).verify(blob);
    if (refusal) throw new SshError(refusal.code, addressOf(target), refusal.message);
    this.#checked.set(target, hostKey);
  }

  async #close(): Promise<void> {
    const current = this.#connection;
    this.#connection = undefined;
    await current?.opening.then(
      ({ close }) => close(),
      () => undefined,
    );
  }
}

function isRefusedChannel(error: unknown): boolean {
  return error instanceof SshError && error.code === "CHANNEL_REFUSED";
}

function isHostKeyRefusal(error: unknown): boolean {
  return error instanceof SshError && error.code.startsWith("HOST_KEY_");
}
