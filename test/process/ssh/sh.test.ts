import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lines, sh } from "../../../provider/ssh/sh";

const run = (script: { text: string }) => execFileSync("bash", ["-c", script.text], { encoding: "utf8" });

test("every value comes out of a real shell as it went in", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1, maxLength: 4 }), (values) => {
      const passable = values.map((value) => Buffer.from(value.replaceAll("\0", "")).toString());
      expect(run(sh`printf '%s\037' ${passable}`)).toBe(passable.map((value) => `${value}\x1f`).join(""));
    }),
    { numRuns: 60 },
  );
});

test("nothing in a value is run or expanded", () => {
  const values = ["$(touch /tmp/never)", "`id`", "'; id; '", "-n", "$HOME", "a\nb", "*", "\\", "!x", "ü"];
  expect(run(sh`printf '%s|' ${values}`)).toBe(values.map((value) => `${value}|`).join(""));
});

test("a script within a script and a number stand as they are", () => {
  expect(run(lines(sh`echo ${1}`, sh`${sh`echo ${"two"}`}`))).toBe("1\ntwo\n");
});

test("a value with a NUL character is refused, because no argument can hold it", () => {
  expect(() => sh`echo ${"a\0b"}`).toThrow(TypeError);
});
