/** With what the command ends. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  /** Something is there that wants to be cleaned, or was left, or is not as it should be. */
  found: 3,
} as const;

/** One of them. */
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
