import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lines, Script } from "../ssh/sh";

/**
 * The text that runs a function of `remote/*.sh` on a host: the functions that it needs, then the call.
 *
 * ```ts
 * host.exec(remote(sh`prepare_folder ${srMountPath} ${uuid}`), { purpose: "make the folder", timeoutMs });
 * ```
 *
 * The files are read when the first call is made, from beside this module: so the same files are checked by
 * ShellCheck, run by the tests and sent to the host, and no build step can leave a stale copy of them.
 *
 * @param call the function's name and its quoted arguments
 */
export function remote(call: Script): Script {
  const [name = ""] = /^\w+/.exec(call.text) ?? [];
  return lines(definitionOf(name), call);
}

/** A shell function and the comment above it. */
interface ShellFunction {
  /** Without comments and indentation, as it is sent. */
  readonly text: string;
  /** Names of the functions that it calls, from the `# Needs: …` line above it. */
  readonly needs: readonly string[];
}

const definitions = new Map<string, Script>();

/** The exit statuses, then the function and everything that it needs. */
function definitionOf(name: string): Script {
  const known = definitions.get(name);
  if (known) return known;
  const { statuses, functions } = (library ??= readLibrary());
  const needed = new Set([name]);
  // The set grows during the loop.
  for (const each of needed) for (const need of functionOf(functions, each).needs) needed.add(need);
  const texts = [...needed].map((each) => functionOf(functions, each).text);
  const definition = new Script([statuses, ...texts].join("\n"));
  definitions.set(name, definition);
  return definition;
}

interface Library {
  /** Assignments of `status.sh`. */
  readonly statuses: string;
  readonly functions: ReadonlyMap<string, ShellFunction>;
}

let library: Library | undefined;

function readLibrary(): Library {
  const files = Object.entries(readShellFiles());
  return {
    statuses: compact(files.find(([name]) => name === "status.sh")?.[1] ?? ""),
    functions: new Map(files.flatMap(([, text]) => parseFunctions(text))),
  };
}

/** The files of `remote/`: name to text. */
export function readShellFiles(): Record<string, string> {
  const folder = join(__dirname, "remote");
  const names = readdirSync(folder).filter((name) => name.endsWith(".sh"));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/** Each function begins with `name() {` and ends with `}`, both at the start of a line. */
export function parseFunctions(text: string): [name: string, ShellFunction][] {
  const pattern = /((?:^#.*\n)*)^(\w+)\(\) \{\n[^]*?^\}$/gm;
  return [...text.matchAll(pattern)].map(([whole, comment = "", name = ""]) => {
    const [, needs = ""] = /^# Needs: (.*)$/m.exec(comment) ?? [];
    return [name, { text: compact(whole), needs: needs.split(" ").filter(Boolean) }];
  });
}

function functionOf(functions: Library["functions"], name: string): ShellFunction {
  const found = functions.get(name);
  if (!found) throw new TypeError(`There is no shell function ${name}.`);
  return found;
}

function compact(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}
