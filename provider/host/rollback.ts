import { setTimeout as sleep } from "node:timers/promises";

/** Registers what undoes the step that follows; `what` names it for a message: "the folder /var/opt/…". */
export type Undo = (what: string, action: () => Promise<void>) => void;

/** A step failed, and not everything before it could be undone. */
export class RollbackIncompleteError extends Error {
  override readonly name = "RollbackIncompleteError";

  /**
   * @param cause what failed first
   * @param left what is still on the host, with why it could not be removed
   */
  constructor(
    override readonly cause: unknown,
    readonly left: readonly { readonly what: string; readonly error: unknown }[],
  ) {
    const leftovers = left.map(({ what, error }) => `${what} (${messageOf(error)})`).join("; ");
    super(
      `${messageOf(cause)} What could not be undone: ${leftovers}. The next \`pulumi up\` or \`pulumi destroy\` clears it.`,
    );
  }
}

/** How long all undo actions of one rollback may take together. */
const BUDGET_MS = 20_000;

/**
 * Runs steps that each register beforehand what undoes them. If one fails, what was registered is undone, last
 * first, going on past an undo that fails.
 *
 * @throws what the step threw, when everything was undone
 * @throws {@link RollbackIncompleteError} when something stayed
 */
export async function withRollback<T>(steps: (undo: Undo) => Promise<T>): Promise<T> {
  const undos: { what: string; action: () => Promise<void> }[] = [];
  try {
    return await steps((what, action) => undos.push({ what, action }));
  } catch (cause) {
    const left = await undoAll(undos.reverse());
    throw left.length === 0 ? cause : new RollbackIncompleteError(cause, left);
  }
}

async function undoAll(undos: readonly { what: string; action: () => Promise<void> }[]) {
  const left: { what: string; error: unknown }[] = [];
  const budget = new AbortController();
  const outOfTime = sleep(BUDGET_MS, undefined, { signal: budget.signal }).then(() => {
    throw new Error(`not done within ${BUDGET_MS / 1_000} s`);
  });
  outOfTime.catch(() => undefined);
  for (const { what, action } of undos) {
    await Promise.race([action(), outOfTime]).catch((error: unknown) => left.push({ what, error }));
  }
  budget.abort();
  return left;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
