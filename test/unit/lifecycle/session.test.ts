import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { currentSession, inSession } from "../../../provider/lifecycle/session";

const session = (urn: string) => ({ urn, configuration: new Map<string, unknown>() });

test("calls that run at the same time keep their own sessions", async () => {
  const seen = await Promise.all(
    ["a", "b"].map((urn, index) =>
      inSession(session(urn), async () => {
        await sleep(index * 5);
        return currentSession()?.urn;
      }),
    ),
  );
  expect(seen).toEqual(["a", "b"]);
  expect(currentSession()).toBeUndefined();
});
