import { expect, test } from "vitest";
import type { Source } from "../../../provider/iso/source";
import { filesBelow, isoNamesOf, treeOf } from "../../../provider/iso/tree";

const source = {} as Source;
const names = (...paths: string[]) => {
  const root = treeOf(paths.map((path) => [path, source] as const));
  return [...isoNamesOf(root)].map(([node, name]) => [node.name, name]);
};

test("puts files into their folders", () => {
  const root = treeOf(["a/b/c", "a/d", "e"].map((path) => [path, source] as const));
  expect([...filesBelow(root)].map(({ name }) => name)).toEqual(["c", "d", "e"]);
});

test("shortens names to upper-case letters, digits and _, and keeps extensions", () => {
  expect(names("user-data", "a.b.txt", "Straße")).toEqual([
    ["Straße", "STRA_E"],
    ["a.b.txt", "A_B.TXT"],
    ["user-data", "USER_DATA"],
  ]);
});

test("keeps names unique in their folder, within 27 characters", () => {
  const long = "x".repeat(40);
  const short = names(...[0, 1, 2].map((index) => `${long}${index}.txt`)).map(([, name]) => name ?? "");
  expect(new Set(short).size).toBe(3);
  for (const name of short) expect(name.length).toBeLessThanOrEqual(28);
});
