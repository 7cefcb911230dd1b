/** Shell text in which every value is quoted. Only {@link sh} makes it. */
export class Script {
  /** @internal */
  constructor(readonly text: string) {}
}

/** What a script can contain: a value (quoted), several values (each quoted), a number, or another script. */
export type ScriptValue = string | number | readonly string[] | Script;

/**
 * Shell text with quoted values: `` sh`mkdir ${folder}` `` cannot be written with a value unquoted, and
 * `exec` takes nothing but a {@link Script}. A brace of the shell's own is written `\${`.
 *
 * @throws TypeError for a value with a NUL character, which no argument of a command can hold
 */
export function sh(text: TemplateStringsArray, ...values: readonly ScriptValue[]): Script {
  // The raw text, so that a backslash for the shell is written once.
  const raw = text.raw.map((part) => part.replaceAll("\\${", "${"));
  return new Script(String.raw({ raw }, ...values.map(toShell)));
}

/** Joins scripts, each on its own lines. */
export function lines(...scripts: readonly Script[]): Script {
  return new Script(scripts.map((script) => script.text).join("\n"));
}

function toShell(value: ScriptValue): string {
  if (value instanceof Script) return value.text;
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quote(value);
  return value.map(quote).join(" ");
}

/** Within single quotes the shell takes every character literally, except the single quote itself. */
function quote(value: string): string {
  if (value.includes("\0")) throw new TypeError("A value with a NUL character cannot be given to a command.");
  return `'${value.replaceAll("'", `'\\''`)}'`;
}
