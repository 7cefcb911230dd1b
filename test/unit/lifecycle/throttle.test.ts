import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Throttle } from "../../../provider/lifecycle/throttle";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function start(isAtOnce: boolean) {
  const shown: number[] = [];
  const startedAt = performance.now();
  const show = () => shown.push(Math.round(performance.now() - startedAt));
  return { shown, throttle: new Throttle(250, show, { isAtOnce }) };
}

test("what is asked for a hundred times in a second is shown four times, and at its end", () => {
  const { shown, throttle } = start(true);
  for (let count = 0; count < 100; count++) {
    throttle.ask();
    vi.advanceTimersByTime(10);
  }
  expect(shown).toEqual([0, 250, 500, 750, 1_000]);
});

test("what was asked for last is shown once the interval is over", () => {
  const { shown, throttle } = start(true);
  throttle.ask();
  vi.advanceTimersByTime(100);
  throttle.ask();
  expect(shown).toEqual([0]);
  vi.advanceTimersByTime(10_000);
  expect(shown).toEqual([0, 250]);
  throttle.ask();
  expect(shown).toEqual([0, 250, 10_100]);
});

test("what ends within the first interval shows nothing, where it is not to begin at once", () => {
  const { shown, throttle } = start(false);
  throttle.ask();
  vi.advanceTimersByTime(249);
  throttle.end();
  vi.advanceTimersByTime(10_000);
  expect(shown).toEqual([]);
});

test("nothing is shown after the end", () => {
  const { shown, throttle } = start(true);
  throttle.ask();
  throttle.end();
  throttle.ask();
  vi.advanceTimersByTime(10_000);
  throttle.ask();
  expect(shown).toEqual([0]);
});

test("what takes longer is shown after the first interval", () => {
  const { shown, throttle } = start(false);
  throttle.ask();
  vi.advanceTimersByTime(10_000);
  expect(shown).toEqual([250]);
});
