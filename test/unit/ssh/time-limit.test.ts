import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { timeLimit } from "../../../provider/ssh/time-limit";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A limit, and whether it has expired. */
function limit() {
  const timer = timeLimit((limitMs) => new Error(`${limitMs} ms`));
  const expired = vi.fn();
  timer.expired.catch(expired);
  return { timer, expired };
}

test("expires once it has passed since it was set last", async () => {
  const { timer, expired } = limit();
  timer.restart(100);
  await vi.advanceTimersByTimeAsync(99);
  timer.restart(200);
  await vi.advanceTimersByTimeAsync(199);
  expect(expired).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(expired).toHaveBeenCalledWith(new Error("200 ms"));
});

test("does not expire while it is paused, nor once it is stopped, though it is set anew", async () => {
  const { timer, expired } = limit();
  timer.restart(100);
  timer.pause();
  await vi.advanceTimersByTimeAsync(1_000);
  timer.stop();
  timer.restart(100);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(expired).not.toHaveBeenCalled();
});
