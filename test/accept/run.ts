import type { Check } from "./checks";
import type { Site } from "./site";

/** How a check went. */
export interface CheckResult {
  readonly name: string;
  readonly outcome: "ok" | "FAILED" | "not run";
  readonly durationMs: number;
  /** What did not hold, and what it left on the host. */
  readonly problems: readonly string[];
}

/** Runs the checks one after another, going on past one that fails; after each, what it left is removed. */
export async function* runChecks(checks: readonly Check[], site: Site): AsyncGenerator<CheckResult> {
  const stuck = new Set<string>();
  for (const check of checks) yield await runCheck(check, site, stuck);
}

/**
 * Removes whatever is left on the host of the run.
 *
 * @returns what could not be removed
 */
export async function cleanUp(site: Site): Promise<string[]> {
  try {
    await site.clear();
    return await site.leftovers();
  } catch (error) {
    return [`nobody knows what: ${messageOf(error)}`];
  }
}

/** @param stuck what earlier checks left and could not be removed: no fault of this one */
async function runCheck({ name, run }: Check, site: Site, stuck: Set<string>): Promise<CheckResult> {
  const isInterrupted = () => site.start.signal.aborted;
  if (isInterrupted()) return { name, outcome: "not run", durationMs: 0, problems: [] };
  const startedAt = performance.now();
  const broken = await problemsOf(() => run(site));
  const durationMs = performance.now() - startedAt;
  const problems = [...broken, ...(await problemsOf(() => assertNothingLeft(site, stuck)))];
  if (problems.length === 0) return { name, outcome: "ok", durationMs, problems };
  for (const left of await cleanUp(site)) stuck.add(left);
  return { name, outcome: isInterrupted() ? "not run" : "FAILED", durationMs, problems };
}

async function assertNothingLeft(site: Site, stuck: ReadonlySet<string>): Promise<void> {
  const left = (await site.leftovers()).filter((each) => !stuck.has(each));
  if (left.length > 0) throw new Error(`It left ${left.join(", ")}.`);
}

async function problemsOf(work: () => Promise<void>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [messageOf(error)];
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
