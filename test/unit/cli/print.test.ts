import { expect, test } from "vitest";
import { bytes, count, duration, table } from "../../../provider/cli/print";

test("columns stand under each other, without blanks at the end", () => {
  expect(
    table([
      ["a", "bb", ""],
      ["ccc", "d", "e"],
    ]),
  ).toBe("a    bb\nccc  d   e");
});

test.each([
  [undefined, "-"],
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_024, "1.0 KiB"],
  [381_000, "372 KiB"],
  [1.25 * 1024 ** 3, "1.3 GiB"],
  [2_048 * 1024 ** 4, "2048 TiB"],
])("%s bytes are %s", (value, expected) => {
  expect(bytes(value)).toBe(expected);
});

test.each([
  [undefined, "-"],
  [-3, "0 s"],
  [59, "59 s"],
  [60, "1 min"],
  [3_599, "59 min"],
  [7_200, "2 h"],
  [86_400 * 3, "3 d"],
])("%s seconds are %s", (value, expected) => {
  expect(duration(value)).toBe(expected);
});

test("one is singular", () => {
  expect([count(0, "disc"), count(1, "disc"), count(2, "disc")]).toEqual(["0 discs", "1 disc", "2 discs"]);
});
