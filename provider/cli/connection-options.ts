import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { checkConnection, type ConnectionInputs, fromConfig } from "../lifecycle/connection";
import { Problems } from "../lifecycle/problems";
import { checkLogin } from "../lifecycle/ssh-target";
import { UsageError } from "./exit";

/** A connection with a host to log in to. */
export type HostConnection = ConnectionInputs & { readonly host: string };

/** The property that commander makes of a flag: `--private-key-file` is `privateKeyFile`. */
export type Flags = Readonly<Record<string, unknown>>;

/** Tries for a host that does not answer; resources try longer. */
const DIAL_ERROR_LIMIT = "3";

/** The flags for the host, and with the prefix `proxy-` for its jump host. */
const LOGIN: readonly (readonly [flag: string, text: string])[] = [
  ["host <name>", "name, address, or alias in ~/.ssh/config"],
  ["port <port>", "what ~/.ssh/config says unless given, else 22"],
  ["user <name>", "what ~/.ssh/config says unless given, else root"],
  ["host-key <key...>", '"ssh-ed25519 AAAA…" or "SHA256:…"; known_hosts decides unless given'],
  ["private-key-file <path>", "private key, in any form that ssh-keygen reads"],
  ["agent-socket-path <path>", "SSH agent, that of SSH_AUTH_SOCK unless given"],
];

/** Passwords are never command line arguments: everybody on the machine could read them. */
const PASSWORDS_HELP = `
Passwords are read from XEN_PASSWORD and XEN_PRIVATE_KEY_PASSWORD, those of a jump host from
XEN_PROXY_PASSWORD and XEN_PROXY_PRIVATE_KEY_PASSWORD, or asked for on the terminal.`;

/** Adds the connection options of the resources to a command. */
export function addConnectionOptions(command: Command): Command {
  command.optionsGroup("Host itself (dom0):");
  for (const [flag, text] of LOGIN) command.addOption(withVariable(flag, text));
  command.addOption(withVariable("ssh-config <path>", "read in place of ~/.ssh/config; false for none"));
  command.addOption(withVariable("dial-error-limit <tries>", "tries to connect").default(DIAL_ERROR_LIMIT));
  command.addOption(withVariable("per-dial-timeout <seconds>", "time for each try, 15 unless given"));
  command.optionsGroup("Jump host, where one is needed:");
  for (const [flag, text] of LOGIN) command.addOption(withVariable(`proxy-${flag}`, text));
  return command.addHelpText("after", PASSWORDS_HELP);
}

/**
 * Reads the connection from flags and environment.
 *
 * @throws {@link UsageError}
 */
export function readConnection(flags: Flags, env: NodeJS.ProcessEnv): HostConnection {
  const { host, ...rest } = readLogin(flags, env, "");
  if (host === undefined) throw new UsageError("--host is missing: give it, or set XEN_HOST.");
  const proxy = readLogin(flags, env, "proxy-");
  return {
    ...rest,
    host,
    ...given({
      proxy: proxy.host === undefined ? undefined : proxy,
      sshConfig: fromConfig("sshConfig", flags["sshConfig"]) as ConnectionInputs["sshConfig"],
      dialErrorLimit: numberOf(flags["dialErrorLimit"]),
      perDialTimeout: numberOf(flags["perDialTimeout"]),
    }),
  };
}

/**
 * Refuses a connection that cannot be used to log in, by the same rules as the resources.
 *
 * @throws {@link UsageError}
 */
export async function assertUsable(connection: HostConnection): Promise<void> {
  const problems = new Problems();
  checkConnection(connection, problems);
  if (problems.failures.length === 0) await checkLogin(connection, problems);
  const [...reasons] = problems.failures.map(({ reason }) => inFlags(reason));
  if (reasons.length > 0) throw new UsageError(reasons.join("\n"));
}

/** Replaces the field names in a message by the flags and variables that set them here. */
export function inFlags(message: string): string {
  return message
    .replace(/ \(or `pulumi config set [^`]*`\)/, "")
    .replace(/\bconnection(\.proxy)?: has no way to log in; .*/, (_match, proxy?: string) =>
      proxy ? NO_LOGIN.replaceAll("XEN_", "XEN_PROXY_").replaceAll("--", "--proxy-") : NO_LOGIN,
    )
    .replace(/\bconnection\.(proxy\.)?([a-z]\w*)/g, (_match, proxy: string | undefined, field: string) =>
      nameOf(field, proxy ? "proxy-" : ""),
    )
    .replace(FIELD_ALONE, (field) => nameOf(field, message.startsWith("Jump host: ") ? "proxy-" : ""));
}

/** The words of an error, in flags and variables. */
export function errorInFlags(error: unknown): string {
  return error instanceof Error ? inFlags(error.message) : String(error);
}

/** Names of fields that are no words of English. */
const FIELD_ALONE =
  /\b(privateKeyPassword|privateKey|agentSocketPath|hostKey|sshConfig|dialErrorLimit|perDialTimeout)\b/g;

const NO_LOGIN = "No credentials: set XEN_PASSWORD, or give --private-key-file or --agent-socket-path.";

/** The fields that a jump host shares with the host itself. */
const SHARED_FIELDS = ["sshConfig", "dialErrorLimit", "perDialTimeout"];

function nameOf(field: string, prefix: "" | "proxy-"): string {
  if (SHARED_FIELDS.includes(field)) return `--${kebab(field)}`;
  if (field === "password" || field === "privateKeyPassword") return variableOf(`${prefix}${kebab(field)}`);
  return `--${prefix}${field === "privateKey" ? "private-key-file" : kebab(field)}`;
}

function readLogin(flags: Flags, env: NodeJS.ProcessEnv, prefix: "" | "proxy-"): ConnectionInputs {
  const flag = (name: string) => flags[camel(`${prefix}${name}`)] as string | undefined;
  const secret = (name: string) => env[variableOf(`${prefix}${name}`)] || undefined;
  return given({
    host: flag("host"),
    port: numberOf(flag("port")),
    user: flag("user"),
    hostKey: oneOrMore(flags[camel(`${prefix}host-key`)] as readonly string[] | undefined),
    privateKey: readKey(flag("private-key-file"), `--${prefix}private-key-file`),
    agentSocketPath: flag("agent-socket-path"),
    password: secret("password"),
    privateKeyPassword: secret("private-key-password"),
  });
}

/** `ignore` is accepted alone only. */
const oneOrMore = (keys?: readonly string[]) => (keys?.length === 1 ? keys[0] : keys);

function readKey(path: string | undefined, flag: string): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${flag}: ${(error as Error).message}`);
  }
}

function withVariable(flag: string, text: string): Option {
  return new Option(`--${flag}`, text).env(variableOf(flag.replace(/ .*/, "")));
}

const variableOf = (name: string) => `XEN_${name.replaceAll("-", "_").toUpperCase()}`;
const camel = (name: string) => name.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase());
const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Not a number: the rule for the field reports it. */
function numberOf(text: unknown): number | undefined {
  return text === undefined ? undefined : Number(text);
}

type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}
