import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseLine, valueOf } from "../../../provider/host/protocol";

const REMOTE = join(__dirname, "../../../provider/host/remote");

/** The keys of all lines `key=value` that the shell functions print. */
function printedKeys(): string[] {
  const text = readdirSync(REMOTE)
    .filter((name) => name.endsWith(".sh"))
    .map((name) => readFileSync(join(REMOTE, name), "utf8"))
    .join("\n");
  return [...new Set([...text.matchAll(/\becho ["']?([\w-]+)=/g)].map(([, key = ""]) => key))];
}

test("reads every key that a shell function prints", () => {
  const keys = printedKeys();
  expect(keys).toContain("sha256");
  expect(keys.filter((key) => valueOf(`x=1\n${key}=a=b c\n`, key) !== "a=b c")).toEqual([]);
});

test("skips a line that is not key=value", () => {
  expect(["wanted?", "", "a b=c", "=c"].map(parseLine)).toEqual(Array.from({ length: 4 }, () => undefined));
});
