import { expect, test } from "vitest";
import { retry } from "../../../provider/ssh/retry";

const plan = {
  waitingFor: "it",
  isPassing: () => true,
  firstPauseMs: 1,
  growth: 1,
  longestPauseMs: 1,
};

function failing(times: number) {
  let calls = 0;
  const attempt = () =>
    ++calls <= times ? Promise.reject(new Error(`no ${calls}`)) : Promise.resolve("done");
  return { attempt, calls: () => calls };
}

test("tries until an attempt succeeds", async () => {
  const { attempt, calls } = failing(3);
  await expect(retry({ ...plan, attempts: 10 }, attempt)).resolves.toBe("done");
  expect(calls()).toBe(4);
});

test("throws the last error once the attempts are used up", async () => {
  const { attempt, calls } = failing(Infinity);
  await expect(retry({ ...plan, attempts: 3 }, attempt)).rejects.toThrow("no 3");
  expect(calls()).toBe(3);
});

test("begins no attempt after its budget", async () => {
  const { attempt, calls } = failing(Infinity);
  await expect(
    retry({ ...plan, firstPauseMs: 20, longestPauseMs: 20, budgetMs: 50 }, attempt),
  ).rejects.toThrow();
  expect(calls()).toBeLessThan(5);
  expect(calls()).toBeGreaterThan(1);
});

test("throws at once what will not pass", async () => {
  const { attempt, calls } = failing(Infinity);
  await expect(retry({ ...plan, isPassing: () => false }, attempt)).rejects.toThrow("no 1");
  expect(calls()).toBe(1);
});
