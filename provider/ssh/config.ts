import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, hostname, tmpdir, userInfo } from "node:os";
import { join, resolve as absolute } from "node:path";
import { SshError } from "./error";

/** A lookup in OpenSSH's configuration: a host, and the fields of the login that the program sets. */
export interface SshConfigQuery {
  /** A name, an alias or an address. */
  readonly host: string;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** A file to read instead of the user's and the system's. */
  readonly file?: string | undefined;
}

/** OpenSSH's configuration for a host, with its defaults and complete paths. */
export interface SshConfig {
  readonly hostName: string;
  readonly port: number;
  /** Undefined if the configuration names none. OpenSSH's client then takes the name of the local user. */
  readonly user?: string;
  readonly identityFiles: readonly string[];
  /** Those of `CertificateFile`, which nothing here can use. */
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Undefined if the configuration does not set it, `none` if no agent may be used. */
  readonly identityAgent?: string;
  readonly knownHosts: { readonly files: readonly string[]; readonly alias?: string };
  /** The hops of `ProxyJump`, the nearest first. */
  readonly jumps: readonly JumpHost[];
  /** Whether `ProxyCommand` is to make the connection, which nothing here runs. */
  readonly hasProxyCommand: boolean;
}

/** A hop of `ProxyJump`. The configuration may have more about it. */
export interface JumpHost {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** `Match exec` may run anything, and `CanonicalizeHostname` may ask name servers. */
const LIMIT_MS = 30_000;

/** No user has this name. */
const NOBODY = "no.user.is.configured";

const answers = new Map<string, Promise<SshConfig | undefined>>();

/**
 * Reads OpenSSH's configuration for a host by `ssh -G`: only OpenSSH's own reader knows every rule of `Include`,
 * `Match` and the tokens, and it has the same version as the `ssh` that the user compares with. A library would be
 * a second reader with its own rules. As with `ssh`, the commands of `Match exec` are run. Runs one process per
 * query, and keeps the answer while this process lives.
 *
 * `ssh` uses the account's home folder. If `HOME` is another folder, its file is read instead.
 *
 * @returns undefined if there is no `ssh` that runs for this user
 * @throws {@link SshError} `SSH_CONFIG_REFUSED` with what `ssh` says
 */
export function readSshConfig(query: SshConfigQuery): Promise<SshConfig | undefined> {
  const key = JSON.stringify([query.host, query.port, query.user, query.file, process.env["HOME"]]);
  const answer = answers.get(key) ?? ask(query);
  answers.set(key, answer);
  return answer;
}

async function ask(query: SshConfigQuery): Promise<SshConfig | undefined> {
  if (!hasAccount()) return undefined;
  const from = query.file === undefined ? defaultFile() : ["-F", query.file];
  const text = await runSsh(query, from);
  if (text === undefined) return undefined;
  const options = parse(text);
  const valueOf = (name: string) => options.get(name)?.[0];
  const valueUnlessNone = (name: string) => {
    const value = valueOf(name);
    return value === "none" ? undefined : value;
  };
  const hostName = valueOf("hostname") ?? query.host;
  const port = Number(valueOf("port") ?? 22);
  const localUser = userInfo().username;
  const printedUser = valueOf("user") ?? localUser;
  const jump = valueUnlessNone("proxyjump");
  const alias = valueOf("hostkeyalias");
  const expand = expander(query, { hostName, port, user: printedUser, jump: jump ?? "", alias });
  const user = (await isUserSaid(query, from, printedUser, localUser)) ? printedUser : undefined;
  const identityAgent = valueOf("identityagent");
  const filesOf = (name: string) => (options.get(name) ?? []).filter((path) => path !== "none").map(expand);
  return {
    hostName,
    port,
    ...(user !== undefined && { user }),
    identityFiles: filesOf("identityfile"),
    certificateFiles: filesOf("certificatefile"),
    identitiesOnly: valueOf("identitiesonly") === "yes",
    ...(identityAgent !== undefined && { identityAgent: agentPath(identityAgent, expand) }),
    knownHosts: {
      files: ["userknownhostsfile", "globalknownhostsfile"].flatMap((name) =>
        pathsIn(valueUnlessNone(name) ?? "").map(expand),
      ),
      ...(alias !== undefined && { alias }),
    },
    jumps: jump === undefined ? [] : expand(jump).split(",").map(parseJump),
    hasProxyCommand: valueUnlessNone("proxycommand") !== undefined,
  };
}

/** Containers run as user IDs without an account, and `ssh` does not run for those. */
function hasAccount(): boolean {
  try {
    return userInfo().homedir !== "";
  } catch {
    return false;
  }
}

/** Empty if `ssh` finds the same file by itself: then it also reads the system's file, and checks the permissions. */
function defaultFile(): string[] {
  const home = homedir();
  if (home === userInfo().homedir) return [];
  const file = join(home, ".ssh", "config");
  return ["-F", existsSync(file) ? file : "none"];
}

/** Runs `ssh -G`, which prints the options for a host and connects to nothing. */
function runSsh({ host, port, user }: SshConfigQuery, from: readonly string[]): Promise<string | undefined> {
  const args = [
    "-G",
    ...from,
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    // The host is not an option, whatever it begins with.
    "--",
    host,
  ];
  return new Promise((resolve, reject) => {
    const child = execFile("ssh", args, { timeout: LIMIT_MS }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      if (error.code === "ENOENT") return resolve(undefined);
      const said = error.killed
        ? `it did not end within ${LIMIT_MS / 1_000} s`
        : stderr.replace(/^Pseudo-terminal will not.*$/gm, "").trim() || error.message;
      const message =
        `OpenSSH's configuration cannot be used for ${host}. Mend what \`ssh -G ${host}\` complains of, or set ` +
        `connection.sshConfig to false or to another file. (${said.replace(/\s*\n\s*/g, "; ")})`;
      return reject(new SshError("SSH_CONFIG_REFUSED", host, message, { cause: error }));
    });
    child.stdin?.end();
  });
}

/**
 * Whether the configuration sets the user. Without one, `ssh -G` prints the local user's name. Only if it prints that
 * name, the same files are read again, followed by a `User` line with another name.
 */
async function isUserSaid(
  query: SshConfigQuery,
  from: readonly string[],
  printed: string,
  local: string,
): Promise<boolean> {
  if (query.user !== undefined || printed !== local || printed === "root") return true;
  const [, file] = from;
  if (file === "none") return false;
  const folder = await mkdtemp(join(tmpdir(), "ssh-config-"));
  try {
    const files = file === undefined ? [join(homedir(), ".ssh", "config"), systemFile()] : [absolute(file)];
    const includes = files.map((path) => `Include "${path}"\nMatch all\n`);
    const wrapper = join(folder, "config");
    await writeFile(wrapper, `${includes.join("")}User ${NOBODY}\n`, { mode: 0o600 });
    const text = await runSsh(query, ["-F", wrapper]);
    return parse(text ?? "").get("user")?.[0] !== NOBODY;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function systemFile(): string {
  return process.platform === "win32"
    ? join(process.env["ProgramData"] ?? "C:\\ProgramData", "ssh", "ssh_config")
    : "/etc/ssh/ssh_config";
}

/** Parses lines of a name in lower case and a value. A name can occur several times. */
function parse(text: string): ReadonlyMap<string, readonly string[]> {
  const options = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const [, name, value] = /^(\S+) (.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) options.set(name, [...(options.get(name) ?? []), value]);
  }
  return options;
}

/** `ssh -G` prints several paths without quotes: a blank ends a path only if another path follows. */
function pathsIn(text: string): string[] {
  return text.split(/ +(?=[~/%$]|[A-Za-z]:[\\/])/).filter((path) => path !== "");
}

/** `SSH_AUTH_SOCK` and `$NAME` name a variable. */
function agentPath(value: string, expand: (text: string) => string): string {
  const variable = value === "SSH_AUTH_SOCK" ? value : /^\$(\w+)$/.exec(value)?.[1];
  return variable === undefined ? expand(value) : (process.env[variable] ?? "none");
}

interface Resolved {
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly jump: string;
  readonly alias: string | undefined;
}

/**
 * Expands what `ssh -G` does not: `~`, `%` tokens and `${NAME}`.
 *
 * @see ssh_config(5), "TOKENS" and "ENVIRONMENT VARIABLES"; openssh-portable: ssh.c `default_client_percent_expand`
 */
function expander(
  { host }: SshConfigQuery,
  { hostName, port, user, jump, alias }: Resolved,
): (text: string) => string {
  const home = homedir();
  const account = userInfo();
  const local = hostname();
  const tokens: Readonly<Record<string, () => string>> = {
    "%": () => "%",
    C: () => createHash("sha1").update(`${local}${hostName}${port}${user}${jump}`).digest("hex"),
    d: () => home,
    h: () => hostName,
    i: () => String(account.uid),
    j: () => jump,
    k: () => alias ?? host,
    L: () => local.split(".")[0] ?? local,
    l: () => local,
    n: () => host,
    p: () => String(port),
    r: () => user,
    u: () => account.username,
  };
  return (text) => {
    const expanded = text
      .replace(/^~(?=[/\\]|$)/, () => home)
      .replace(/%(.)|\$\{(\w+)\}/g, (all, token: string | undefined, variable: string | undefined) =>
        variable === undefined ? (tokens[token ?? ""]?.() ?? all) : (process.env[variable] ?? all),
      );
    // ssh has replaced ~ by the account's home folder.
    return expanded.startsWith(`${account.homedir}/`)
      ? home + expanded.slice(account.homedir.length)
      : expanded;
  };
}

/** `[user@]host[:port]`, with or without `ssh://`, IPv6 in brackets if a port follows. */
function parseJump(text: string): JumpHost {
  const [, user, address = ""] = /^(?:ssh:\/\/)?(?:(.*)@)?(.*?)\/?$/.exec(text) ?? [];
  const [, inBrackets, name, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(address) ?? [];
  return {
    host: inBrackets ?? name ?? address,
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port: Number(port) }),
  };
}
