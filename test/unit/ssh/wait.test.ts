import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, test } from "vitest";
import { retry } from "../../../provider/ssh/retry";
import { waitChannel, waiting, type WaitMessage } from "../../../provider/ssh/wait";

/** What is published while `work` runs: `+` begins, `-` ends. */
async function messagesOf(work: () => Promise<unknown>): Promise<string[]> {
  const messages: string[] = [];
  const listen = (message: unknown) => {
    const { wait, isOver } = message as WaitMessage;
    messages.push(`${isOver ? "-" : "+"} ${wait.what}, at most ${wait.atMost}`);
  };
  subscribe(waitChannel.name, listen);
  await work().catch(() => undefined);
  unsubscribe(waitChannel.name, listen);
  return messages;
}

test("a wait ends with its work, however that ends", async () => {
  const wait = { what: "it", atMost: "1 s" };
  const expected = ["+ it, at most 1 s", "- it, at most 1 s"];
  expect(await messagesOf(() => waiting(wait, () => Promise.resolve()))).toEqual(expected);
  expect(await messagesOf(() => waiting(wait, () => Promise.reject(new Error("no"))))).toEqual(expected);
});

test("a retry waits from its first failure on, with its limit", async () => {
  const plan = { waitingFor: "it", isPassing: () => true, firstPauseMs: 1, growth: 1, longestPauseMs: 1 };
  const failing = (times: number) => () =>
    times-- > 0 ? Promise.reject(new Error("not yet")) : Promise.resolve();
  expect(await messagesOf(() => retry({ ...plan, attempts: 5 }, failing(0)))).toEqual([]);
  const expected = ["+ it, at most 5 tries", "- it, at most 5 tries"];
  expect(await messagesOf(() => retry({ ...plan, attempts: 5 }, failing(2)))).toEqual(expected);
  expect(await messagesOf(() => retry({ ...plan, budgetMs: 120_000 }, failing(1)))).toEqual([
    "+ it, at most 2 min",
    "- it, at most 2 min",
  ]);
});
