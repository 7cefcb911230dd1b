import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../../provider/host/protocol";
import { parseFunctions, readShellFiles, remote } from "../../../provider/host/remote";
import { sh } from "../../../provider/ssh/sh";

const PROVIDER = join(__dirname, "../../../provider");

const files = Object.entries(readShellFiles());
const functions = files.flatMap(([, text]) => parseFunctions(text));
const names = functions.map(([name]) => name);

/** What bash 4.2, that of a dom0, does not have. */
const TOO_NEW: readonly (readonly [what: string, pattern: RegExp])[] = [
  ["a nameref (4.3)", /\b(local|declare|typeset) +-\w*n/],
  ["wait -n or -p (4.3, 5.1)", /\bwait +-[np]/],
  ["a transformation ${x@Q} (4.4)", /\$\{\w+(\[[^\]]*\])?@\w\}/],
  ["mapfile -d (4.4)", /\b(mapfile|readarray) +-d/],
  ["local - (4.4)", /\blocal +-(\s|$)/m],
  ["a negative length of a substring (4.2 has it for none but text)", /\$\{\w+:[^}]*:\s*-/],
  ["a negative index in an assignment (4.3)", /^\s*\w+\[-\d+\]=/m],
  [
    "EPOCHSECONDS, EPOCHREALTIME, SRANDOM, BASH_ARGV0 (5.0, 5.1)",
    /\b(EPOCH(SECONDS|REALTIME)|SRANDOM|BASH_ARGV0)\b/,
  ],
  [
    "an assoc_expand or inherit_errexit option (4.4)",
    /\bshopt +-s +(inherit_errexit|assoc_expand_once|localvar_)/,
  ],
];

describe("the shell functions", () => {
  test("are named once, and each says what it is for", () => {
    expect(names.length).toBeGreaterThan(40);
    expect(new Set(names).size).toBe(names.length);
    for (const [file, text] of files)
      for (const [, comment, name] of text.matchAll(/((?:^#.*\n)*)^(\w+)\(\) \{/gm))
        expect(comment, `${file}: ${name}`).toMatch(new RegExp(`^# ${name}( |\n)`));
  });

  test.each(functions)("%s names the functions that it needs", (name, { text, needs }) => {
    const called = names.filter((other) => other !== name && new RegExp(`\\b${other}\\b`).test(text));
    expect([...needs].sort()).toEqual(called.sort());
  });

  test.each(TOO_NEW)("use no %s", (_what, pattern) => {
    for (const [file, text] of files) expect(pattern.test(text), file).toBe(false);
  });

  test("have the exit statuses of the protocol", () => {
    const text = files.find(([name]) => name === "status.sh")?.[1] ?? "";
    const statuses = [...text.matchAll(/\b([A-Z_]+)=(\d+)/g)].map(([, name = "", status]) => [
      name.toLowerCase().replaceAll("_", ""),
      Number(status),
    ]);
    const expected = Object.entries(EXIT).map(([name, status]) => [name.toLowerCase(), status]);
    expect(Object.fromEntries(statuses)).toEqual(Object.fromEntries(expected));
  });
});

describe("a call", () => {
  test("comes behind the functions that it needs, and no others", () => {
    const { text } = remote(sh`remove_marker ${"/x 'y'"}`);
    expect(text).toMatch(
      /^NOT_XENSERVER=3 .*\n.*\nremove_marker\(\) \{\n[^]*\}\nremove_marker '\/x '\\''y'\\'''$/,
    );
    expect(text).not.toMatch(/write_marker|^#/m);
  });

  test("of a function that is not there is an error here", () => {
    expect(() => remote(sh`no_such_function`)).toThrow(/no shell function no_such_function/);
  });
});

test("there is no shell code in a TypeScript file", () => {
  const sources = readdirSync(PROVIDER, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  );
  for (const name of sources) {
    const text = readFileSync(join(PROVIDER, name), "utf8");
    for (const [script] of text.matchAll(/(?<![\w./])sh`(?:[^`\\]|\\.)*`/g))
      expect(script.split("\n").length, `${name}: ${script}`).toBe(1);
    expect(text, name).not.toMatch(/^\s*([a-z_]+\(\) \{|(fi|done|esac)[;`]?)$/m);
  }
});
