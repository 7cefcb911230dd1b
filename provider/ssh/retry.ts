import { setTimeout as sleep } from "node:timers/promises";
import { durationText } from "../text/units";
import { beginWait } from "./wait";

/**
 * When to repeat an attempt. Each pause is `growth` times the last one, and up to a quarter shorter or longer.
 */
export interface RetryPlan {
  /** What the failures wait for: completes "waiting for". */
  readonly waitingFor: string;
  /** Whether this failure may be temporary. All others are thrown at once. */
  readonly isPassing: (error: unknown) => boolean;
  readonly firstPauseMs: number;
  readonly growth: number;
  readonly longestPauseMs: number;
  /** No attempt begins after this time. */
  readonly budgetMs?: number;
  /** The maximum number of attempts. */
  readonly attempts?: number;
}

/**
 * Repeats `attempt` until it succeeds, fails for good, or the plan is used up.
 *
 * @throws what the last attempt threw
 */
export async function retry<T>(plan: RetryPlan, attempt: () => Promise<T>): Promise<T> {
  const { isPassing, growth, longestPauseMs, budgetMs = Infinity, attempts = Infinity } = plan;
  const startedAt = Date.now();
  let pauseMs = plan.firstPauseMs;
  let endWait: (() => void) | undefined;
  try {
    for (let tried = 1; ; tried++) {
      try {
        return await attempt();
      } catch (error) {
        const spentMs = Date.now() - startedAt + pauseMs;
        if (tried >= attempts || spentMs > budgetMs || !isPassing(error)) throw error;
      }
      endWait ??= beginWait({ what: plan.waitingFor, atMost: limitOf(plan) });
      // Jitter, so that resources that failed together do not retry together.
      await sleep(pauseMs * (0.75 + Math.random() / 2));
      pauseMs = Math.min(pauseMs * growth, longestPauseMs);
    }
  } finally {
    endWait?.();
  }
}

function limitOf({ budgetMs, attempts = Infinity }: RetryPlan): string {
  if (budgetMs !== undefined) return durationText(budgetMs / 1_000);
  return attempts === Infinity ? "for ever, as dialErrorLimit says" : `${attempts} tries`;
}
