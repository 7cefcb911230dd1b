/** How much may be on the way when nothing has arrived lately. */
const LEAST_BYTES = 64 * 1024;

/** Small enough for a slow link, large enough for {@link LEAST_BYTES} to be several pieces. */
const LEAST_PIECE_BYTES = 16 * 1024;

/** Larger pieces do not make a fast link faster. */
const MOST_PIECE_BYTES = 256 * 1024;

/** More than the longest round trip, so that the link is never idle. */
const RECENT_MS = 2_000;

/** Bytes that arrived in less than two seconds count up to this many times, so that a fast link starts fast. */
const MOST_GROWTH = 4;

/** How long nothing of what is on the way may arrive before the link counts as lost. */
export const STALL_TIMEOUT_MS = 60_000;

/** The outgoing direction of a link. */
interface OutgoingLink {
  /** Calls `onAnswer` once the host has everything that was sent before. */
  readonly ping: (onAnswer: () => void) => void;
  /** Aborted when the link is lost. */
  readonly lost: AbortSignal;
  /** Called when nothing has arrived for {@link STALL_TIMEOUT_MS}; aborts `lost`. */
  readonly onStalled: () => void;
}

/**
 * Limits what is on the way to a host to what arrives there in two seconds, and 64 KiB. Without a limit, six
 * streams fill the queues between here and the host with 12 MiB; over a slow link, a command behind them waits for
 * minutes.
 */
export class SendWindow {
  #onWayBytes = 0;
  #recentBytes = 0;
  /** When the first piece after an idle time was sent. */
  #begunMs = 0;
  readonly #recent: { readonly atMs: number; readonly bytes: number }[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #wake: () => void = () => undefined;

  constructor(private readonly link: OutgoingLink) {
    link.lost.addEventListener("abort", () => this.#wake());
  }

  /**
   * Waits for room, in order of arrival. The bytes then count as on the way until {@link sent} learns that they have
   * arrived.
   *
   * @returns how many bytes may be sent: `wantedBytes` or fewer
   * @throws the reason of `lost`
   */
  room(wantedBytes: number): Promise<number> {
    const mine = this.#turn.then(async () => {
      while (this.#limitBytes <= this.#onWayBytes && !this.link.lost.aborted) await this.#change();
      this.link.lost.throwIfAborted();
      const bytes = Math.min(wantedBytes, this.#pieceBytes);
      if (this.#onWayBytes === 0 && this.#recent.length === 0) this.#begunMs = performance.now();
      this.#onWayBytes += bytes;
      return bytes;
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** Says that a piece was sent; calls `onArrived` once the host has it. */
  sent(bytes: number, onArrived: () => void): void {
    this.link.ping(() => {
      this.#recent.push({ atMs: performance.now(), bytes });
      this.#recentBytes += bytes;
      this.giveBack(bytes);
      onArrived();
    });
  }

  /** Says that a piece will not be sent. */
  giveBack(bytes: number): void {
    this.#onWayBytes -= bytes;
    this.#wake();
  }

  async #change(): Promise<void> {
    const timer = setTimeout(this.link.onStalled, STALL_TIMEOUT_MS);
    await new Promise<void>((resolve) => (this.#wake = resolve));
    clearTimeout(timer);
  }

  get #limitBytes(): number {
    const since = performance.now() - RECENT_MS;
    while (this.#recent[0] && this.#recent[0].atMs < since)
      this.#recentBytes -= this.#recent.shift()?.bytes ?? 0;
    const measuredMs = performance.now() - this.#begunMs;
    return LEAST_BYTES + this.#recentBytes * Math.min(Math.max(RECENT_MS / measuredMs, 1), MOST_GROWTH);
  }

  /** An eighth of the limit. */
  get #pieceBytes(): number {
    return Math.min(Math.max(this.#limitBytes / 8, LEAST_PIECE_BYTES), MOST_PIECE_BYTES) & ~1023;
  }
}
