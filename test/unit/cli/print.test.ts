import { expect, onTestFinished, test, vi } from "vitest";
import { colour, count, table } from "../../../provider/cli/print";

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

test("a text is coloured only on a terminal that shows colours", () => {
  const stdout = vi.spyOn(process, "stdout", "get");
  onTestFinished(() => stdout.mockRestore());
  const onTerminal = (terminal: { isTTY: boolean; hasColors?: () => boolean }) => {
    stdout.mockReturnValue(terminal as never);
    return colour("red", "failed");
  };
  expect(onTerminal({ isTTY: false })).toBe("failed");
  expect(onTerminal({ isTTY: true, hasColors: () => false })).toBe("failed");
  expect(onTerminal({ isTTY: true, hasColors: () => true })).toBe("\u001b[31mfailed\u001b[39m");
});
