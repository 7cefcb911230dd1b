import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPages, repository } from "./pages";

const sourceOf = (path: string) => readFileSync(join(repository, "provider", path), "utf8");

/** The codes of a union of string literals, which no running program has. */
function codesOfType(path: string, name: string): string[] {
  const union = new RegExp(`^export type ${name} =([^;]+);`, "m").exec(sourceOf(path))?.[1] ?? "";
  return Array.from(union.matchAll(/"(\w+)"/g), ([, code = ""]) => code);
}

/** xapi's codes, wherever they are named. */
const xeCodes = () =>
  Array.from(sourceOf("xe/error.ts").matchAll(/\b[A-Z]+(?:_[A-Z0-9]+)+\b/g), ([code]) => code);

/** Names of constants in that file. */
const NO_CODES = /^(REFUSED_FOR_NOW|HA_ADVICE|OTHER_HOST_ADVICE)$/;

test.each([
  ["an SshError", () => codesOfType("ssh/error.ts", "SshErrorCode")],
  ["a HostError", () => codesOfType("host/error.ts", "HostErrorCode")],
  ["an XeError", () => [...xeCodes().filter((code) => !NO_CODES.test(code)), "UNKNOWN"]],
  ["an IsoBuildError", () => codesOfType("iso/check.ts", "IsoBuildErrorCode")],
])("every code of %s has a heading in docs/troubleshooting.md", async (_what, codesOf) => {
  const codes = codesOf();
  expect(codes.length).toBeGreaterThan(2);
  const page = (await readPages()).find(({ path }) => path === "docs/troubleshooting.md");
  expect(codes.filter((code) => !page?.anchors.has(code.toLowerCase()))).toEqual([]);
});
