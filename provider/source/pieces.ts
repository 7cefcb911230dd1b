/** Iterates by hand. */
export type PieceIterator = AsyncIterator<Uint8Array, undefined>;

/** Bytes in pieces. Each piece is valid until the next one is asked for. */
export type Pieces = AsyncIterable<Uint8Array>;

/**
 * Peeks at the first bytes.
 *
 * @returns `head` has `length` bytes, or all where there are fewer; `all` has every byte, and can be read once
 */
export async function peek(pieces: Pieces, length: number): Promise<{ head: Buffer; all: Pieces }> {
  const iterator = pieces[Symbol.asyncIterator]() as PieceIterator;
  const taken: Buffer[] = [];
  let takenBytes = 0;
  while (takenBytes < length) {
    const { done, value } = await iterator.next();
    if (done) break;
    taken.push(Buffer.from(value));
    takenBytes += value.length;
  }
  const first = Buffer.concat(taken);
  return { head: first.subarray(0, length), all: chain(first, iterator) };
}

/** The bytes of `first`, then the rest of an iterator. */
async function* chain(first: Buffer, rest: PieceIterator): AsyncGenerator<Uint8Array, void> {
  let isDone = false;
  try {
    if (first.length > 0) yield first;
    for (;;) {
      const { done, value } = await rest.next();
      isDone = done === true;
      if (done) return;
      yield value;
    }
  } finally {
    if (!isDone) await rest.return?.();
  }
}
