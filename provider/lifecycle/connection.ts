import type { Config } from "@pulumi/pulumi/dynamic";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseHostKeyOption } from "../ssh/host-key";
import { loadPrivateKey } from "../ssh/private-key";
import type { Problems } from "./problems";
import { currentSession } from "./session";
import { isUnknown, UNKNOWN } from "./unknown";

/** `connection` as the provider receives it: plain values of any type. */
export interface ConnectionInputs {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly agentSocketPath?: string;
  /** One key, or several of which any may match. */
  readonly hostKey?: string | readonly string[];
  readonly proxy?: ConnectionInputs;
  /** Whether OpenSSH's configuration says what is left out, or the path of the file that does. */
  readonly sshConfig?: boolean | string;
  readonly dialErrorLimit?: number;
  readonly perDialTimeout?: number;
}

type Field = Exclude<keyof ConnectionInputs, "proxy">;

/** What is wrong with the value of a field, or undefined. */
type Rule = (value: unknown) => string | undefined;

const text: Rule = (value) =>
  typeof value === "string" && value !== "" ? undefined : "must be a non-empty string";

const line: Rule = (value) =>
  text(value) ??
  (/[\p{Cc}\s]/u.test(value as string) ? "must not contain blanks or control characters" : undefined);

const integerFrom =
  (least: number, most: number): Rule =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;

const RULES: Readonly<Record<Field, Rule>> = {
  host: (value) => line(value) ?? hostProblem(value as string),
  port: integerFrom(1, 65_535),
  user: line,
  password: text,
  privateKey: text,
  privateKeyPassword: text,
  agentSocketPath: text,
  hostKey: (value) =>
    (Array.isArray(value) ? value : [value]).some((key) => text(key) !== undefined)
      ? "must be a non-empty string, or a list of such"
      : messageOf(() => parseHostKeyOption(value as string | string[])),
  sshConfig: sshConfigProblem,
  dialErrorLimit: integerFrom(-1, 10_000),
  perDialTimeout: integerFrom(0, 86_400),
};

const FIELDS = Object.keys(RULES) as Field[];

/** Users paste arguments of `ssh`. */
function hostProblem(host: string): string | undefined {
  const alone = "must be a name or an IP address alone";
  if (host.includes("://"))
    return `${alone}, without "ssh://"; set connection.user and connection.port for the rest`;
  if (host.includes("@")) return `${alone}; set the user with connection.user`;
  if (/^\[.*\](:\d+)?$|^[^:]*:\d+$/.test(host))
    return `${alone}, without brackets; set the port with connection.port`;
  return /[/[\]]/.test(host) ? `${alone}, without a path or brackets` : undefined;
}

function sshConfigProblem(value: unknown): string | undefined {
  if (typeof value === "boolean") return undefined;
  if (text(value) !== undefined) return "must be true, false, or the path of a file";
  const path = value as string;
  if (existsSync(path)) return undefined;
  const hint = path.startsWith("~")
    ? "a shell expands ~, a path does not: use os.homedir()"
    : "a relative path starts at the program's folder";
  return `there is no file ${resolve(path)}; ${hint}`;
}

let configuration: Config | undefined;

/** Stores the stack's configuration. Called before any other method; the host does not await it. */
export function configure(config: Config): void {
  configuration = config;
}

/** A configuration value, namespace `xen`: from the provider's own configuration, else the stack's. */
export function configured(name: string): unknown {
  return (currentSession()?.configuration ?? configuration)?.get(`xen:${name}`);
}

/** The fields of `connection` that the stack's configuration sets. */
function configuredConnection(): ConnectionInputs {
  const entries = FIELDS.map((field) => [field, fromConfig(field, configured(field))] as const);
  const proxy = configured("proxy");
  const all = [...entries, ["proxy", typeof proxy === "string" ? parseJson(proxy) : proxy] as const];
  return Object.fromEntries(all.filter(([, value]) => value !== undefined));
}

/** The effective connection: each field from the program, else from the stack's configuration. */
export function effectiveConnection(inputs: ConnectionInputs | undefined): ConnectionInputs {
  return { ...configuredConnection(), ...inputs };
}

/** Adds every problem of the effective connection that can be known now. */
export function checkConnection(inputs: unknown, problems: Problems): void {
  // Not known yet as a whole, so it is checked at the up.
  if (isUnknown(inputs)) return;
  if (!isRecord(inputs ?? {})) {
    problems.add("connection", "must be an object such as { host, password, hostKey }");
    return;
  }
  const given = (inputs ?? {}) as Record<string, unknown>;
  refuseUnknownFields(given, "connection", problems);
  checkFields({ ...configuredConnection(), ...given }, given, "connection", problems);
}

/** Adds every problem of the connection fields of single hosts of a pool. */
export function checkHostConnections(inputs: unknown, problems: Problems): void {
  if (!isRecord(inputs)) {
    problems.add("hostConnections", 'must be an object such as { "xen2": { port: 2222 } }');
    return;
  }
  for (const [name, fields] of Object.entries(inputs)) {
    const path = `hostConnections.${name}`;
    if (isUnknown(fields)) continue;
    if (!isRecord(fields)) problems.add(path, "must be an object with fields of a connection");
    else {
      refuseUnknownFields(fields, path, problems);
      // Missing fields come from `connection`.
      checkFields({ host: UNKNOWN, ...fields }, fields, path, problems);
    }
  }
}

/** Whether the host's key is not checked. */
export function isIgnoringHostKey(inputs: unknown): boolean {
  return (
    !isUnknown(inputs) && effectiveConnection(inputs as ConnectionInputs | undefined).hostKey === "ignore"
  );
}

function checkFields(
  connection: Record<string, unknown>,
  given: Record<string, unknown>,
  path: string,
  problems: Problems,
): void {
  const nameOf = (field: string) =>
    path === "connection" && given[field] === undefined && connection[field] !== undefined
      ? `xen:${field} (stack configuration)`
      : `${path}.${field}`;

  for (const field of FIELDS) {
    const value = connection[field];
    const problem = value === undefined || isUnknown(value) ? undefined : RULES[field](value);
    if (problem) problems.add(nameOf(field), problem);
  }
  const orConfigure = path === "connection" ? ", or `pulumi config set xen:host …`" : "";
  if (connection["host"] === undefined) problems.add(`${path}.host`, `is missing; set it${orConfigure}`);
  checkPrivateKey(connection, path, problems);

  const { proxy } = connection;
  if (proxy === undefined || isUnknown(proxy)) return;
  if (!isRecord(proxy)) {
    problems.add(
      nameOf("proxy"),
      "must be an object with the fields of a connection (as JSON in the configuration)",
    );
    return;
  }
  refuseUnknownFields(proxy, nameOf("proxy"), problems);
  checkFields(proxy, proxy, `${path}.proxy`, problems);
}

function checkPrivateKey(connection: Record<string, unknown>, path: string, problems: Problems): void {
  const { privateKey, privateKeyPassword } = connection;
  if (typeof privateKey !== "string" || isUnknown(privateKey) || isUnknown(privateKeyPassword)) return;
  const loaded = loadPrivateKey(privateKey, privateKeyPassword as string | undefined);
  if ("problem" in loaded) problems.add(`${path}.privateKey`, `cannot be used: ${loaded.problem}`);
}

function refuseUnknownFields(given: Record<string, unknown>, path: string, problems: Problems): void {
  const known = [...FIELDS, "proxy"];
  for (const field of Object.keys(given))
    if (!known.includes(field))
      problems.add(`${path}.${field}`, `is not a field of a connection; expected one of ${known.join(", ")}`);
}

/** A value of the configuration, which is text: numbers, booleans and lists are parsed, the rules refuse anything else. */
export function fromConfig(field: Field, value: unknown): unknown {
  if (typeof value !== "string") return value;
  const isNumber = field === "port" || field === "dialErrorLimit" || field === "perDialTimeout";
  if (isNumber) return /^-?\d+$/.test(value) ? Number(value) : value;
  if (field === "sshConfig") return value === "true" || (value === "false" ? false : value);
  return field === "hostKey" ? hostKeysOf(value) : value;
}

/** One key, several lines with one each, or a JSON array. */
function hostKeysOf(value: string): unknown {
  if (value.trimStart().startsWith("[")) return parseJson(value);
  const lines = value.split("\n").filter((each) => each.trim() !== "" && !each.startsWith("#"));
  return lines.length > 1 ? lines : value;
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function messageOf(attempt: () => unknown): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
