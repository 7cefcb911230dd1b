/** How long something took, each time. */
export interface Timing {
  readonly medianMs: number;
  readonly samplesMs: readonly number[];
}

/** Does one thing once, with whatever has to be before and after; returns how long the thing itself took. */
export type Contestant = () => Promise<number>;

/** Lets contestants take turns, so that whatever else this machine does at a time befalls all of them. */
export async function interleave<Name extends string>(
  rounds: number,
  contestants: Readonly<Record<Name, Contestant>>,
): Promise<Record<Name, Timing>> {
  const names = Object.keys(contestants) as Name[];
  const samples = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length;
    // Each is first in some round.
    for (const name of [...names.slice(first), ...names.slice(0, first)])
      samples[name].push(await contestants[name]());
  }
  return Object.fromEntries(names.map((name) => [name, timingOf(samples[name])])) as Record<Name, Timing>;
}

/** @returns how long it took, in milliseconds */
export async function time(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

export function timingOf(samplesMs: readonly number[]): Timing {
  return { medianMs: median(samplesMs), samplesMs };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}
