import { GIB, KIB, MIB } from "./images";

/** How much is measured. */
export interface Plan {
  readonly isQuick: boolean;
  /** How often what is compared takes its turn. */
  readonly rounds: number;
  /** For what takes longest. */
  readonly slowRounds: number;
  readonly imageBytes: number;
  /** What the port of the reference is given in its place; for the rest it is reckoned on. */
  readonly referenceBytes: number;
  readonly farImageBytes: number;
  readonly sameImageBytes: number;
  readonly hugeImageBytes: number;
  /** Of how many discs the port of the reference makes one after another; for the rest it is reckoned on. */
  readonly referenceDiscs: number;
  readonly imports: number;
  /** Of a pool. */
  readonly hosts: number;
  readonly poolImageBytes: number;
  /** The most that lies on the host and here at one time. */
  readonly neededBytes: number;
}

export const FULL: Plan = {
  isQuick: false,
  rounds: 5,
  slowRounds: 3,
  imageBytes: GIB,
  referenceBytes: 8 * MIB,
  farImageBytes: 256 * MIB,
  sameImageBytes: GIB,
  hugeImageBytes: 3 * GIB,
  referenceDiscs: 10,
  imports: 9,
  hosts: 20,
  poolImageBytes: 64 * MIB,
  neededBytes: 12 * GIB,
};

export const QUICK: Plan = {
  isQuick: true,
  rounds: 1,
  slowRounds: 1,
  imageBytes: 64 * MIB,
  referenceBytes: MIB,
  farImageBytes: 16 * MIB,
  sameImageBytes: 16 * MIB,
  hugeImageBytes: 512 * MIB,
  referenceDiscs: 2,
  imports: 3,
  hosts: 3,
  poolImageBytes: 16 * MIB,
  neededBytes: GIB,
};

/** What many resources at once have for an image each. */
export const SMALL_BYTES = 64 * KIB;

export const MANY_DISCS = 100;
