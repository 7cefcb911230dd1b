import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SENTENCES } from "../../provider/xe/error";
import { readPages, repository } from "./pages";

const sourceOf = (path: string) => readFileSync(join(repository, "provider", path), "utf8");

/** The codes of a union of string literals, which no running program has. */
function codesOfType(path: string, name: string): string[] {
  const union = new RegExp(`^export type ${name} =([^;]+);`, "m").exec(sourceOf(path))?.[1] ?? "";
  return Array.from(union.matchAll(/"(\w+)"/g), ([, code = ""]) => code);
}

/** xapi's codes: those that are told apart, and those with advice of their own. */
function xeCodes(): string[] {
  const advice = /^const ADVICE[^{]*\{([^]*?)^\};/m.exec(sourceOf("xe/error.ts"))?.[1] ?? "";
  const advised = Array.from(advice.matchAll(/^ {2}([A-Z0-9_]+):/gm), ([, code = ""]) => code);
  expect(advised.length).toBeGreaterThan(5);
  return [...SENTENCES.map(([code]) => code), ...advised, "UNKNOWN"];
}

test.each([
  ["an SshError", () => codesOfType("ssh/error.ts", "SshErrorCode")],
  ["a HostError", () => codesOfType("host/error.ts", "HostErrorCode")],
  ["an XeError", xeCodes],
  ["a SourceError", () => codesOfType("source/error.ts", "SourceErrorCode")],
  ["an IsoBuildError", () => codesOfType("iso/check.ts", "IsoBuildErrorCode")],
])("every code of %s has a heading in docs/troubleshooting.md", async (_what, codesOf) => {
  const codes = codesOf();
  expect(codes.length).toBeGreaterThan(2);
  const page = (await readPages()).find(({ path }) => path === "docs/troubleshooting.md");
  expect(codes.filter((code) => !page?.anchors.has(code.toLowerCase()))).toEqual([]);
});
