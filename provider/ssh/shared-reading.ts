import type { Range, UploadSource } from "./upload";

/** How far the fastest reader of a range may be ahead of the slowest. */
const WINDOW_BYTES = 4 * 1024 ** 2;

/** How long the first reader of a range waits for the others to begin. */
const BEGIN_MS = 5_000;

/**
 * Reads a source once for several uploads in parallel. Drops each piece when every reader has had it, so memory
 * does not grow with size or number of readers. The slowest reader sets the pace. A reader that comes too late
 * reads by itself.
 */
export class SharedReading {
  readonly #ranges = new Map<string, RangeReading>();

  /** @param readers how many are going to read each range */
  constructor(
    private readonly source: UploadSource,
    private readonly readers: number,
  ) {}

  /** The source for one reader. Call `end`, or the others wait for it. */
  reader(): { source: UploadSource; end: () => void } {
    const ends: (() => void)[] = [];
    const read = (range: Range) => {
      const key = `${range.start}-${range.end}`;
      const reading = this.#ranges.get(key) ?? new RangeReading(this.source.read(range), this.readers);
      this.#ranges.set(key, reading);
      const joined = reading.join();
      if (!joined) return this.source.read(range);
      ends.push(joined.end);
      return joined.pieces;
    };
    const { name, sizeBytes } = this.source;
    const end = () => {
      for (const each of ends) each();
    };
    return { source: { name, sizeBytes, read, sha256: () => this.source.sha256() }, end };
  }
}

/** One shared reading of a range. */
class RangeReading {
  readonly #iterator: AsyncIterator<Uint8Array>;
  /** Pieces that some reader still needs; the first one has the number `#first`. */
  readonly #pieces: Uint8Array[] = [];
  #first = 0;
  #isComplete = false;
  #reading: Promise<void> | undefined;
  /** For each reader, the number of its next piece. */
  readonly #next = new Map<symbol, number>();
  #joined = 0;
  #isOpen = true;
  #wake: (() => void)[] = [];

  constructor(
    pieces: AsyncIterable<Uint8Array>,
    private readonly readers: number,
  ) {
    this.#iterator = pieces[Symbol.asyncIterator]();
    setTimeout(() => this.#close(), BEGIN_MS).unref();
  }

  /** @returns undefined if it is too late */
  join(): { pieces: AsyncIterable<Uint8Array>; end: () => void } | undefined {
    if (!this.#isOpen) return undefined;
    const id = Symbol("reader");
    this.#next.set(id, 0);
    if (++this.#joined === this.readers) this.#close();
    const end = () => {
      this.#next.delete(id);
      this.#moved();
    };
    return { pieces: this.#piecesFor(id), end };
  }

  async *#piecesFor(id: symbol): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const number = this.#next.get(id);
      if (number === undefined) return;
      const piece = this.#pieces[number - this.#first];
      if (piece) {
        yield piece;
        if (this.#next.has(id)) this.#next.set(id, number + 1);
        this.#moved();
      } else if (this.#isComplete) return;
      else if (this.#hasRoom) await (this.#reading ??= this.#readOne());
      else await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  get #hasRoom(): boolean {
    return this.#pieces.reduce((sum, piece) => sum + piece.length, 0) < WINDOW_BYTES;
  }

  async #readOne(): Promise<void> {
    try {
      const result = await this.#iterator.next();
      if (result.done) this.#isComplete = true;
      // A source reuses its buffers.
      else this.#pieces.push(Buffer.from(result.value));
    } finally {
      this.#reading = undefined;
    }
  }

  #close(): void {
    this.#isOpen = false;
    this.#moved();
  }

  /** Drops the pieces that every reader has had, and wakes readers that waited for room. */
  #moved(): void {
    if (!this.#isOpen) {
      const least = Math.min(...this.#next.values(), this.#first + this.#pieces.length);
      this.#pieces.splice(0, least - this.#first);
      this.#first = least;
      if (this.#next.size === 0) void this.#iterator.return?.();
    }
    const waiting = this.#wake;
    this.#wake = [];
    for (const resolve of waiting) resolve();
  }
}
