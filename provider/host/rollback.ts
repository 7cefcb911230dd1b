import { setTimeout as sleep } from "node:timers/promises";

/**
 * Registers the undo of the step that follows. `what` names it in messages: "the folder /var/opt/…". `action`
 * gets the failure that caused the rollback.
 */
export type Undo = (what: string, action: (cause: unknown) => Promise<void>) => void;

/** A step failed, and the rollback could not undo everything before it. */
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
      `${messageOf(cause)} Could not be undone: ${leftovers}. The next \`pulumi up\` or \`pulumi destroy\` clears it.`,
    );
  }
}

/** How long all undo actions of one rollback may take together, unless a caller says otherwise. */
const BUDGET_MS = 20_000;

/**
 * Runs steps that each register their undo before they begin. If a step fails, runs the undo actions, last
 * first. An undo that fails ends the rollback, because later steps depend on earlier ones: an SR without its
 * folder harms the host.
 *
 * @throws what the step threw, when everything was undone
 * @throws {@link RollbackIncompleteError} when something stayed
 */
export async function withRollback<T>(steps: (undo: Undo) => Promise<T>, budgetMs = BUDGET_MS): Promise<T> {
  const undos: Registered[] = [];
  try {
    return await steps((what, action) => undos.push({ what, action }));
  } catch (cause) {
    const left = await undoAll(undos.reverse(), cause, budgetMs);
    throw left.length === 0 ? cause : new RollbackIncompleteError(cause, left);
  }
}

interface Registered {
  readonly what: string;
  readonly action: (cause: unknown) => Promise<void>;
}

/** @returns what stayed */
async function undoAll(
  undos: readonly Registered[],
  cause: unknown,
  budgetMs: number,
): Promise<RollbackIncompleteError["left"]> {
  const budget = new AbortController();
  const outOfTime = sleep(budgetMs, undefined, { signal: budget.signal }).then(() => {
    throw new Error(`not done within ${budgetMs / 1_000} s`);
  });
  outOfTime.catch(() => undefined);
  try {
    for (const [index, { what, action }] of undos.entries()) {
      try {
        await Promise.race([action(cause), outOfTime]);
      } catch (error) {
        const beneath = undos
          .slice(index + 1)
          .map((each) => ({ what: each.what, error: new Error("not tried") }));
        return [{ what, error }, ...beneath];
      }
    }
    return [];
  } finally {
    budget.abort();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
