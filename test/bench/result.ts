import type { Machine } from "./machine";
import type { Timing } from "./measure";
import type { Plan } from "./plan";

/** What is measured in: how many times as fast, how many times its time, or so much more. */
export type Unit = "times as fast" | "times its time" | "MiB" | "ms";

/** One line of the table. */
export interface Row {
  readonly what: string;
  /** What it is compared with; none where the value stands for itself. */
  readonly against: string | undefined;
  readonly value: number;
  readonly unit: Unit;
  readonly target: { readonly atLeast: number } | { readonly atMost: number };
  /** How the value came about. */
  readonly timings: Readonly<Record<string, Timing>>;
  readonly note?: string;
}

/** Something that can be counted, whatever the machine: the only thing that fails a run. */
export interface Count {
  readonly what: string;
  readonly value: number;
  readonly atMost: number;
}

/** What a part of the benchmark found. */
export interface Findings {
  readonly rows: readonly Row[];
  readonly counts?: readonly Count[];
}

/** What is measured, by the names that `--only` chooses from. */
export type Parts = Readonly<Record<string, (plan: Plan, folder: string) => Promise<Findings>>>;

/** A whole run. */
export interface Results {
  readonly isQuick: boolean;
  readonly machine: Machine;
  readonly rows: readonly Row[];
  readonly counts: readonly Count[];
}

export function isMet({ value, target }: Row): boolean {
  return "atLeast" in target ? value >= target.atLeast : value <= target.atMost;
}

export function isWithin({ value, atMost }: Count): boolean {
  return value <= atMost;
}
