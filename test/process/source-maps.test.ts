import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const repository = resolve(__dirname, "../..");

test("a stack trace names the lines of the sources", () => {
  const program = `
    try { require("./dist/ssh/sh").sh\`mkdir \${null}\` } catch (error) { console.log(error.stack) }
  `;
  const stack = execFileSync(process.execPath, ["--enable-source-maps", "--eval", program], {
    cwd: repository,
    encoding: "utf8",
  });
  const source = readFileSync(join(repository, "provider", "ssh", "sh.ts"), "utf8").split("\n");
  const numbers = [...stack.matchAll(/provider[\\/]ssh[\\/]sh\.ts:(\d+):/g)].map(([, number]) =>
    Number(number),
  );
  expect(numbers.map((number) => source[number - 1])).toEqual([
    '  return value.map(quote).join(" ");',
    "  return new Script(String.raw({ raw }, ...values.map(toShell)));",
  ]);
});
