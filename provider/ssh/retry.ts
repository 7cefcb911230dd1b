import { setTimeout as sleep } from "node:timers/promises";

/** How an attempt is repeated; each pause is the last one times `growth`, and up to a quarter shorter or longer. */
export interface RetryPlan {
  /** Whether this failure may pass by itself. Everything else is thrown at once. */
  readonly isPassing: (error: unknown) => boolean;
  readonly firstPauseMs: number;
  readonly growth: number;
  readonly longestPauseMs: number;
  /** No new attempt is begun once this long has passed. */
  readonly budgetMs?: number;
  /** How many attempts there are at most. */
  readonly attempts?: number;
}

/**
 * Tries again until `attempt` succeeds, fails for good, or the plan is used up.
 *
 * @throws what the last attempt threw
 */
export async function retry<T>(plan: RetryPlan, attempt: () => Promise<T>): Promise<T> {
  const { isPassing, growth, longestPauseMs, budgetMs = Infinity, attempts = Infinity } = plan;
  const startedAt = Date.now();
  let pauseMs = plan.firstPauseMs;
  for (let tried = 1; ; tried++) {
    try {
      return await attempt();
    } catch (error) {
      const spentMs = Date.now() - startedAt + pauseMs;
      if (tried >= attempts || spentMs > budgetMs || !isPassing(error)) throw error;
    }
    // Jitter, so that many resources that failed together do not come back together.
    await sleep(pauseMs * (0.75 + Math.random() / 2));
    pauseMs = Math.min(pauseMs * growth, longestPauseMs);
  }
}
