import { afterAll, beforeAll, expect, test } from "vitest";
import { warnOnce } from "../../../provider/lifecycle/warn-once";
import { startEngineLog } from "./engine-log-server";

let engine: Awaited<ReturnType<typeof startEngineLog>>;

beforeAll(async () => {
  engine = await startEngineLog();
});
afterAll(() => {
  engine.stop();
});

test("shows a warning once for a resource, however often it is checked", async () => {
  for (const [urn, message] of [
    ["urn:a", "one"],
    ["urn:a", "one"],
    ["urn:a", "two"],
    ["urn:b", "one"],
    ["urn:a", "one"],
  ] as const)
    await warnOnce(urn, message);
  expect(engine.entries.map(({ urn, message }) => `${urn} ${message}`)).toEqual([
    "urn:a one",
    "urn:a two",
    "urn:b one",
  ]);
});
