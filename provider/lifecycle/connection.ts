import type { Config } from "@pulumi/pulumi/dynamic";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseHostKeyOption } from "../ssh/host-key";
import { loadPrivateKey } from "../ssh/private-key";
import type { Problems } from "./problems";
import { currentSession } from "./session";
import { isUnknown } from "./unknown";

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

/** How messages name a field of a connection: `port`, of its jump host `proxy.port`. */
type NameOf = (field: string) => string;

/** How messages name each field and those beside it: the program may set one, the configuration another. */
export type Origin = (field: string) => NameOf;

/** What is wrong with the value of a field, or undefined. */
type Rule = (value: unknown, nameOf: NameOf) => string | undefined;

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";

const text = (value: unknown) => (isText(value) ? undefined : "must be a non-empty string");

const line = (value: unknown) =>
  text(value) ??
  (/[\p{Cc}\s]/u.test(value as string) ? "must not contain blanks or control characters" : undefined);

const integerFrom =
  (least: number, most: number): Rule =>
  (value) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? undefined
      : `must be a whole number from ${least} to ${most}`;

const RULES: Readonly<Record<Field, Rule>> = {
  host: (value, nameOf) => line(value) ?? hostProblem(value as string, nameOf),
  port: integerFrom(1, 65_535),
  user: line,
  password: text,
  privateKey: text,
  privateKeyPassword: text,
  agentSocketPath: text,
  hostKey: (value) =>
    (Array.isArray(value) ? value : [value]).some((key) => !isText(key))
      ? "must be a non-empty string, or a list of such"
      : messageOf(() => parseHostKeyOption(value as string | string[])),
  sshConfig: sshConfigProblem,
  dialErrorLimit: integerFrom(-1, 10_000),
  perDialTimeout: integerFrom(0, 86_400),
};

const FIELDS = Object.keys(RULES) as Field[];

/** Users paste arguments of `ssh`. */
function hostProblem(host: string, nameOf: NameOf): string | undefined {
  const alone = "must be a name or an IP address alone";
  const [user, port] = [nameOf("user"), nameOf("port")];
  if (host.includes("://")) return `${alone}, without "ssh://"; set ${user} and ${port} for the rest`;
  if (host.includes("@")) return `${alone}; set the user with ${user}`;
  if (/^\[.*\](:\d+)?$|^[^:]*:\d+$/.test(host))
    return `${alone}, without brackets; set the port with ${port}`;
  return /[/[\]]/.test(host) ? `${alone}, without a path or brackets` : undefined;
}

function sshConfigProblem(value: unknown): string | undefined {
  if (typeof value === "boolean") return undefined;
  if (!isText(value)) return "must be true, false, or the path of a file";
  if (existsSync(value)) return undefined;
  const hint = value.startsWith("~")
    ? "a shell expands ~, a path does not: use os.homedir()"
    : "a relative path starts at the program's folder";
  return `there is no file ${resolve(value)}; ${hint}`;
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

/** How messages name a setting: that of the stack, or the property of an explicit provider. */
export const settingName: NameOf = (name) => {
  const provider = currentSession()?.provider;
  return provider === undefined ? `xen:${name} (stack configuration)` : `${name} of the provider ${provider}`;
};

/** How messages say where to set a setting. */
export function whereToSet(name: string, flag = ""): string {
  return currentSession()?.provider === undefined
    ? `\`pulumi config set ${flag}xen:${name} …\``
    : settingName(name);
}

/** How messages name the fields of `connection`, those that the configuration sets and all others. */
export function originOf(inputs: object | undefined): Origin {
  const given = { ...inputs } as Record<string, unknown>;
  const settings = configuredConnection() as Record<string, unknown>;
  return (field) =>
    given[field] === undefined && settings[field] !== undefined ? settingName : inProgram("connection");
}

/** How messages name the fields of its jump host. */
export const ofJumpHost =
  (nameOf: NameOf): NameOf =>
  (field) =>
    nameOf(`proxy.${field}`);

const inProgram =
  (path: string): NameOf =>
  (field) =>
    `${path}.${field}`;

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
  refuseUnknownFields(given, inProgram("connection"), problems);
  const connection = { ...configuredConnection(), ...given };
  if (connection["host"] === undefined)
    problems.add("connection.host", `is missing; set it, or ${whereToSet("host")}`);
  checkFields(connection, originOf(given), problems);
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
      refuseUnknownFields(fields, inProgram(path), problems);
      checkFields(fields, () => inProgram(path), problems);
    }
  }
}

/** Whether the host's key is not checked. */
export function isIgnoringHostKey(inputs: unknown): boolean {
  return (
    !isUnknown(inputs) && effectiveConnection(inputs as ConnectionInputs | undefined).hostKey === "ignore"
  );
}

function checkFields(connection: Record<string, unknown>, origin: Origin, problems: Problems): void {
  for (const field of FIELDS) {
    const value = connection[field];
    const nameOf = origin(field);
    const problem = value === undefined || isUnknown(value) ? undefined : RULES[field](value, nameOf);
    if (problem) problems.add(nameOf(field), problem);
  }
  const keyProblem = privateKeyProblem(connection);
  if (keyProblem) problems.add(origin("privateKey")("privateKey"), `cannot be used: ${keyProblem}`);
  if (connection["proxy"] !== undefined) checkProxy(connection["proxy"], origin("proxy"), problems);
}

function checkProxy(proxy: unknown, nameOf: NameOf, problems: Problems): void {
  if (isUnknown(proxy)) return;
  if (!isRecord(proxy)) {
    problems.add(
      nameOf("proxy"),
      "must be an object with the fields of a connection (as JSON in the configuration)",
    );
    return;
  }
  const inside = ofJumpHost(nameOf);
  refuseUnknownFields(proxy, inside, problems);
  if (proxy["host"] === undefined) problems.add(inside("host"), "is missing; set it");
  checkFields(proxy, () => inside, problems);
}

function privateKeyProblem({ privateKey, privateKeyPassword }: Record<string, unknown>): string | undefined {
  if (typeof privateKey !== "string" || isUnknown(privateKey) || isUnknown(privateKeyPassword))
    return undefined;
  const loaded = loadPrivateKey(privateKey, privateKeyPassword as string | undefined);
  return "problem" in loaded ? loaded.problem : undefined;
}

function refuseUnknownFields(given: Record<string, unknown>, nameOf: NameOf, problems: Problems): void {
  const known = [...FIELDS, "proxy"];
  for (const field of Object.keys(given))
    if (!known.includes(field))
      problems.add(nameOf(field), `is not a field of a connection; expected one of ${known.join(", ")}`);
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
