import { afterAll, beforeAll, beforeEach } from "vitest";
import { startEngineLog } from "../unit/lifecycle/engine-log-server";

/** Starts an engine's log for the tests of a file; returns what reads the warnings of the running test. */
export function warningsOfThisFile(): () => string[] {
  let engine: Awaited<ReturnType<typeof startEngineLog>>;
  beforeAll(async () => {
    engine = await startEngineLog();
  });
  beforeEach(() => {
    engine.entries.length = 0;
  });
  afterAll(() => {
    engine.stop();
  });
  return () => engine.entries.filter(({ severity }) => severity === "WARNING").map(({ message }) => message);
}
