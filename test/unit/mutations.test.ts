import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import { MUTATIONS } from "../faults/mutation-list";

const inRoot = (path: string) => resolve(__dirname, "../..", path);

test.each(MUTATIONS)("$name: what it changes is there, once", ({ file, search, tests }) => {
  expect(readFileSync(inRoot(file), "utf8").split(search)).toHaveLength(2);
  expect(existsSync(inRoot(tests))).toBe(true);
});
