import { randomInt } from "node:crypto";

/** Numbers that look random and are the same for the same seed. */
export class Random {
  #state: number;

  constructor(readonly seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 up to, and without, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ (value >>> 15), value | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  }

  /** One of several. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[Math.floor(this.next() * items.length)] ?? items[0];
  }

  /** So many of them, each at most once, in their order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const ranked = items.map((item) => ({ item, rank: this.next() }));
    const chosen = new Set([...ranked].sort((a, b) => a.rank - b.rank).slice(0, count));
    return ranked.filter((each) => chosen.has(each)).map(({ item }) => item);
  }
}

/** A seed where none is given. */
export const newSeed = () => randomInt(2 ** 31);
