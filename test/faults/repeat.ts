import { setTimeout as sleep } from "node:timers/promises";

/** An operation that fails is run again, as a user does; more often than this is not bad luck. */
const MOST_ATTEMPTS = 10;

/** Between two attempts. */
const PAUSE_MS = 500;

/** Runs an operation until it succeeds; collects the messages of the attempts that failed. */
export async function repeat(
  operation: () => Promise<void>,
): Promise<{ isDone: boolean; failures: string[] }> {
  const failures: string[] = [];
  while (failures.length < MOST_ATTEMPTS) {
    try {
      await operation();
      return { isDone: true, failures };
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
      await sleep(PAUSE_MS);
    }
  }
  return { isDone: false, failures };
}
