/** Exit statuses of the command line. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Something should be removed, was left behind, or is not as it should be. */
  found: 3,
} as const;

/** One of them. */
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** An invalid command line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
