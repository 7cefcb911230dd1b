import type { Cell } from "./cells";
import type { Images } from "./images";
import type { Ending } from "./inject";
import type { Site } from "./site";
import type { StandInStack } from "./stack";

/**
 * The promise that holds after the fault: (a) the host has nothing and the state names nothing; (b) the state names
 * what is there; (c) nobody could say, and the next up clears what was left; (s) a complete disc that no state names
 * stays, and can be found and swept away.
 */
export type Promised = "a" | "b" | "c" | "s";

/** A promise, and what breaks it. */
export interface Judgement {
  readonly promised?: Promised;
  readonly problems: readonly string[];
}

/** One kind of resource on a fresh host, ready for the operation. */
export interface Stage {
  readonly stack: StandInStack;
  readonly operate: (stack: StandInStack) => Promise<void>;
  /** Compares the state with the host right after the fault. */
  readonly judge: (ending: Ending) => Promise<Judgement>;
  /** Differences between the host and the stack after the next up. */
  readonly differences: () => Promise<readonly string[]>;
  /** Removes everything but the stack; returns what the host still has. */
  readonly clear: () => Promise<readonly string[]>;
}

/** Sets a stage for a cell. */
export type SetStage = (site: Site, cell: Cell, images: Images) => Promise<Stage>;

/** Faults after which nobody is left who could report to the engine. */
export function isSilent({ fault }: Cell): boolean {
  return ["killed", "engine", "machine"].includes(fault);
}
