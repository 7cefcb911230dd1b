import { UsageError } from "./errors";

/** What the `xe` client was given on its host. */
export interface ClientInput {
  /** The words of its command line, joined by newlines as the client sends them. */
  readonly words: string;
  /** The environment variable `XE_EXTRA_ARGS`. */
  readonly extraArgs: string;
  /** The file `~/.xe`. */
  readonly rc: string;
}

/** What the client leaves for xapi, and what it keeps for itself. */
export interface ClientArguments {
  /** Command and arguments, those of `XE_EXTRA_ARGS` and `~/.xe` last. */
  readonly words: readonly string[];
  /** Another host to talk to. */
  readonly server: string | undefined;
}

/** Keys that the client swallows wherever they stand. */
const CLIENT_KEYS = [
  "server",
  "port",
  "username",
  "password",
  "passwordfile",
  "nossl",
  "debug",
  "debugonfail",
  "traceparent",
];

/** Switches of the client's, with the number of words that follow. */
const CLIENT_SWITCHES: Readonly<Record<string, { key: string; takesValue: boolean }>> = {
  "-s": { key: "server", takesValue: true },
  "-h": { key: "server", takesValue: true },
  "-p": { key: "port", takesValue: true },
  "-u": { key: "username", takesValue: true },
  "-pw": { key: "password", takesValue: true },
  "-pwf": { key: "passwordfile", takesValue: true },
  "--traceparent": { key: "traceparent", takesValue: true },
  "--nossl": { key: "nossl", takesValue: false },
  "--debug": { key: "debug", takesValue: false },
  "--debug-on-fail": { key: "debugonfail", takesValue: false },
};

/**
 * Does the client's part.
 *
 * @see xapi-project/xen-api: ocaml/xe-cli/newcli.ml parse_args, options.ml
 */
export function readClientInput({ words, extraArgs, rc }: ClientInput): ClientArguments {
  const kept: string[] = [];
  let server: string | undefined;
  const swallow = (key: string, value: string) => {
    if (key === "server") server = value;
  };
  // In this order, so that what is given later, on the line itself, decides which server is asked.
  const fromRc = filterClientWords(rcWords(rc), swallow);
  const fromExtra = filterClientWords(splitExtraArgs(extraArgs), swallow);
  const fromLine = filterClientWords(words === "" ? [] : words.split("\n"), swallow);
  kept.push(...fromLine, ...fromExtra, ...fromRc);
  return { words: kept.map((word) => word.replace(/\r$/, "")), server };
}

function filterClientWords(
  words: readonly string[],
  swallow: (key: string, value: string) => void,
): string[] {
  const kept: string[] = [];
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? "";
    const known = CLIENT_SWITCHES[word];
    const following = words[index + 1];
    if (known && !(known.takesValue && following === undefined)) {
      swallow(known.key, known.takesValue ? (following ?? "") : "true");
      if (known.takesValue) index++;
      continue;
    }
    const [key, value] = cut(word);
    if (value !== undefined && CLIENT_KEYS.includes(key)) swallow(key, value);
    else kept.push(word);
  }
  return kept;
}

/** Separated by commas; a backslash keeps the comma after it, and is dropped. */
function splitExtraArgs(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .filter((word) => word !== "")
    .map((word) => word.replaceAll("\\", ""));
}

function rcWords(rc: string): string[] {
  const lines = rc.split("\n").filter((line) => line !== "");
  // One line that cannot be read, and none counts.
  return lines.every((line) => line.includes("=")) ? lines.reverse() : [];
}

/** A command and its parameters, as xapi reads them. */
export class Arguments {
  private constructor(
    readonly command: string,
    /** In the order given; of a key given twice the first counts. */
    readonly entries: readonly (readonly [key: string, value: string])[],
  ) {}

  /**
   * @throws UsageError
   * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_frontend.ml parse_params_2
   */
  static parse(words: readonly string[]): Arguments {
    const [command = "", ...rest] = words;
    if (command.includes("=")) throw new UsageError("Syntax error: ");
    const entries: [string, string][] = [];
    for (let index = 0; index < rest.length; index++) {
      const word = rest[index] ?? "";
      if (word.startsWith("--")) entries.push([word.slice(2), "true"]);
      else if (word.startsWith("-")) throw new UsageError("Syntax error: ");
      else {
        const [key, value = ""] = cut(word);
        entries.push([key, value]);
      }
    }
    const first = entries.filter(([key], index) => entries.findIndex(([other]) => other === key) === index);
    return new Arguments(command, first);
  }

  get isMinimal(): boolean {
    return this.get("minimal") === "true";
  }

  get(key: string): string | undefined {
    return this.entries.find(([name]) => name === key)?.[1];
  }

  /** @throws UsageError where it is missing */
  need(key: string): string {
    const value = this.get(key);
    if (value === undefined) throw new UsageError(`Required parameter not found: ${key}`);
    return value;
  }

  /** The entries of a map: `device-config:location=…` of `device-config`. */
  map(name: string): Record<string, string> {
    const entries = this.entries.filter(([key]) => key.startsWith(`${name}:`));
    return Object.fromEntries(entries.map(([key, value]) => [key.slice(name.length + 1), value]));
  }
}

/** The key ends at the first `=`. */
function cut(word: string): [key: string, value: string | undefined] {
  const equals = word.indexOf("=");
  return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
}
