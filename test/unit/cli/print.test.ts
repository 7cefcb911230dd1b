import { expect, test } from "vitest";
import { count, table } from "../../../provider/cli/print";

test("columns stand under each other, without blanks at the end", () => {
  expect(
    table([
      ["a", "bb", ""],
      ["ccc", "d", "e"],
    ]),
  ).toBe("a    bb\nccc  d   e");
});

test("one is singular", () => {
  expect([count(0, "disc"), count(1, "disc"), count(2, "disc")]).toEqual(["0 discs", "1 disc", "2 discs"]);
});
