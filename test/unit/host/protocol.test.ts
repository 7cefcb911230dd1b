import { expect, test } from "vitest";
import { parseLine, parseLines, valueOf } from "../../../provider/host/protocol";

test("a line is a key and all behind the first =", () => {
  expect(parseLine("iso=a = b.iso")).toEqual({ key: "iso", value: "a = b.iso" });
  expect(parseLine("under-way=")).toEqual({ key: "under-way", value: "" });
});

test.each(["wanted?", "", "=x", "a b=c"])("%j is no such line", (line) => {
  expect(parseLine(line)).toBeUndefined();
});

test("of several lines with one key the first counts", () => {
  const stdout = "noise\nsr=1\nvdi=2\nsr=3\n";
  expect(parseLines(stdout).map(({ value }) => value)).toEqual(["1", "2", "3"]);
  expect([valueOf(stdout, "sr"), valueOf(stdout, "pbd")]).toEqual(["1", undefined]);
});
