import type { Command } from "commander";

/** The shells that {@link completionScript} knows. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of them. */
export type Shell = (typeof SHELLS)[number];

/**
 * Generates a script that completes the commands and options of `program` in a shell. Option values are
 * completed as file names.
 */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    summary: command.summary() || command.description(),
    options: command.options.map(({ long, description }) => ({ long: long ?? "", description })),
  }));
  if (shell === "fish") return fishScript(program.name(), commands);
  const bash = bashScript(program.name(), commands);
  return shell === "zsh" ? `autoload -U +X bashcompinit && bashcompinit\n${bash}` : bash;
}

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly long: string; readonly description: string }[];
}

function bashScript(program: string, commands: readonly Completed[]): string {
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${options.map(({ long }) => long).join(" ")} --help" ;;`,
  );
  const identifier = `_${program.replaceAll("-", "_")}`;
  return [
    `${identifier}() {`,
    "  local words current=${COMP_WORDS[COMP_CWORD]}",
    "  case ${COMP_WORDS[1]} in",
    ...cases,
    `    *) words="${commands.map(({ name }) => name).join(" ")} help --help --version" ;;`,
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    `complete -o default -F ${identifier} ${program}`,
  ].join("\n");
}

function fishScript(program: string, commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, summary, options }) => [
    `complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
    ...options.map(
      ({ long, description }) =>
        `complete -c ${program} -n "__fish_seen_subcommand_from ${name}" -l ${long.slice(2)} -d ${quoted(description)}`,
    ),
  ]);
  return lines.join("\n");
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}
