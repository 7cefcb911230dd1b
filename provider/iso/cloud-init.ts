import { createHash } from "node:crypto";
import type * as Yaml from "yaml";
import { nearestName } from "../text/nearest-name";

/** A user that cloud-init creates. */
export interface CloudInitUser {
  readonly name: string;
  readonly sshAuthorizedKeys?: readonly string[] | undefined;
  readonly passwordHash?: string | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly sudo?: string | undefined;
  readonly shell?: string | undefined;
}

/** Text as it is, or cloud-config as an object. */
export type CloudConfig = string | Readonly<Record<string, unknown>>;

const ARGUMENTS = ["hostname", "users", "sshAuthorizedKeys", "network", "userData", "vendorData"] as const;

type Argument = (typeof ARGUMENTS)[number];

const USER_FIELDS: Readonly<Record<keyof CloudInitUser, true>> = {
  name: true,
  sshAuthorizedKeys: true,
  passwordHash: true,
  groups: true,
  sudo: true,
  shell: true,
};

/** Makes a file of arguments: at once, or when their values are known. */
type MakeFile<File> = <Known extends object>(
  values: Readonly<Record<keyof Known, unknown>>,
  textOf: (known: Known) => string | undefined,
) => File;

/**
 * The files that NoCloud reads, by name.
 *
 * @param args values, or Pulumi's outputs of values
 * @param makeFile calls `textOf` with the values, which returns undefined if the disc has no such file
 * @throws TypeError for a name that is not an argument of `cloudInit`
 */
export function cloudInitFilesOf<File>(
  args: Readonly<Partial<Record<Argument, unknown>>>,
  makeFile: MakeFile<File>,
) {
  assertCloudInitArguments(args);
  const { hostname, users, sshAuthorizedKeys, network, userData, vendorData } = args;
  const user = makeFile({ users, sshAuthorizedKeys, userData }, userDataOf);
  const networkConfig =
    network === undefined ? undefined : makeFile({ config: network }, ifGiven(networkConfigOf));
  const vendor =
    vendorData === undefined ? undefined : makeFile({ config: vendorData }, ifGiven(cloudConfigOf));
  const meta = makeFile({ hostname, userData: user, vendorData: vendor, networkConfig }, metaDataOf);
  return {
    "meta-data": meta,
    "user-data": user,
    ...(networkConfig !== undefined && { "network-config": networkConfig }),
    ...(vendor !== undefined && { "vendor-data": vendor }),
  };
}

/** An output may have no value: then the file is not on the disc. */
const ifGiven =
  (textOf: (config: CloudConfig) => string) =>
  ({ config }: { readonly config?: CloudConfig | undefined }) =>
    config === undefined ? undefined : textOf(config);

/** @throws TypeError for a name that is not an argument of `cloudInit` */
export function assertCloudInitArguments(args: object): void {
  assertNames(args, ARGUMENTS, (name) => `${name} is not an argument`);
}

/**
 * The text of `user-data`.
 *
 * @throws TypeError when `userData` is text and there is something to add to it, a `passwordHash` is not a hash, or a
 *   value has another type or another name than documented
 */
export function userDataOf(settings: {
  readonly users?: readonly (CloudInitUser | "default")[] | undefined;
  readonly sshAuthorizedKeys?: readonly string[] | undefined;
  readonly userData?: CloudConfig | undefined;
}): string {
  const { users, sshAuthorizedKeys, userData = {} } = settings;
  assertConfig(userData, "userData");
  if (users !== undefined && !Array.isArray(users)) throw wrong("users must be a list");
  if (sshAuthorizedKeys !== undefined) assertTexts(sshAuthorizedKeys, "sshAuthorizedKeys");
  if (typeof userData !== "string")
    return cloudConfigOf({
      ...(users && { users: usersOf(users) }),
      ...(sshAuthorizedKeys && { ssh_authorized_keys: sshAuthorizedKeys }),
      ...userData,
    });
  if (users ?? sshAuthorizedKeys)
    throw wrong(
      "userData is text, to which users and sshAuthorizedKeys cannot be added; give it as an object, or put them into the text",
    );
  return userData;
}

/** The text of `vendor-data`, or of anything else that takes cloud-config. */
export function cloudConfigOf(config: CloudConfig): string {
  assertConfig(config, "vendorData");
  return typeof config === "string" ? config : `#cloud-config\n${yamlOf(config)}`;
}

/**
 * The text of `network-config`.
 *
 * @param network as netplan has it below `network:`; or YAML text in any version that cloud-init takes, used as it is
 * @throws TypeError for an object of another version than 2, or with `network:` around it; for text that is not a
 *   YAML mapping
 */
export function networkConfigOf(network: CloudConfig): string {
  assertConfig(network, "network");
  if (typeof network === "string") {
    if (!isMapping(network)) throw wrong("network is a text, but not a YAML mapping such as `version: 2 …`");
    return network;
  }
  const { version = 2, ...rest } = network;
  if (version !== 2 || "network" in rest || "config" in rest)
    throw wrong(
      "network takes version 2 of the network configuration, what netplan has below `network:`, such as { ethernets: … }; give any other as YAML text",
    );
  return yamlOf({ version, ...rest });
}

/**
 * The text of `meta-data`. The instance ID is a hash of everything on the disc: for cloud-init, other content
 * is another instance, on which it runs again.
 */
export function metaDataOf(settings: {
  readonly hostname?: string | undefined;
  readonly userData: string;
  readonly vendorData?: string | undefined;
  readonly networkConfig?: string | undefined;
}): string {
  const { hostname, userData, vendorData, networkConfig } = settings;
  if (hostname !== undefined && typeof hostname !== "string") throw wrong("hostname must be a string");
  const content = JSON.stringify([hostname, userData, vendorData, networkConfig].map((each) => each ?? null));
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return yamlOf({
    "instance-id": `iid-${digest}`,
    ...(hostname !== undefined && { "local-hostname": hostname }),
  });
}

/**
 * Keeps the image's own user, unless the program lists `default` itself: a list without it would replace that
 * user.
 */
function usersOf(users: readonly (CloudInitUser | "default")[]) {
  const own = users.includes("default") ? [] : ["default"];
  return [
    ...own,
    ...users.map((user, index) => (user === "default" ? user : userOf(user, `users[${index}]`))),
  ];
}

/** In cloud-init's names; undefined if there is nothing to set. */
function userOf(user: CloudInitUser, at: string) {
  if (!isRecord(user))
    throw wrong(`${at} must be an object such as { name, sshAuthorizedKeys }, or "default"`);
  assertNames(user, Object.keys(USER_FIELDS), (name) => `${at}.${name} is not a field of a user`);
  const { name, sshAuthorizedKeys, passwordHash, groups, sudo, shell } = user;
  if (typeof name !== "string" || name === "") throw wrong(`${at}.name must be a non-empty string`);
  if (sshAuthorizedKeys !== undefined) assertTexts(sshAuthorizedKeys, `${at}.sshAuthorizedKeys`);
  // Everybody could read a plain password on the disc, and nobody could log in with it.
  if (passwordHash !== undefined && !/^\$[\w-]+\$/.test(passwordHash))
    throw wrong(
      `passwordHash of user ${JSON.stringify(name)} is not a hash such as \`mkpasswd --method=sha-512\` prints`,
    );
  return {
    name,
    groups,
    shell,
    sudo,
    ssh_authorized_keys: sshAuthorizedKeys,
    ...(passwordHash !== undefined && { hashed_passwd: passwordHash, lock_passwd: false }),
  };
}

const wrong = (problem: string) => new TypeError(`cloudInit: ${problem}${problem.endsWith("?") ? "" : "."}`);

function assertNames(given: object, names: readonly string[], problemOf: (name: string) => string): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw wrong(`${problemOf(unknown)}; ${nearestName(unknown, names)}`);
}

function assertTexts(value: unknown, at: string): void {
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw wrong(`${at} must be a list of strings`);
}

function assertConfig(value: unknown, at: string): void {
  if (typeof value !== "string" && !isRecord(value)) throw wrong(`${at} must be a string or an object`);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isMapping(text: string): boolean {
  try {
    return isRecord(yaml().parse(text));
  } catch {
    return false;
  }
}

/**
 * Loaded on first use: it would take a tenth of the import time of @pulumi/pulumi, and few programs need it.
 */
function yaml(): typeof Yaml {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require("yaml") as typeof Yaml;
}

/**
 * YAML that means the same in version 1.1, which cloud-init reads, and 1.2. Keys are sorted, because those of a
 * Pulumi output come in any order.
 */
function yamlOf(value: object): string {
  const { Document, visit } = yaml();
  const document = new Document(value, { aliasDuplicateObjects: false, sortMapEntries: true });
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "string" && isQuoted(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 }).replace(UNPRINTABLE_ALL, escaped);
}

/** Whether to quote a string whatever the library decides: `no` and `1:30` mean something else in YAML 1.1. */
const isQuoted = (text: string) => UNPRINTABLE.test(text) || !(PLAIN.test(text) || text.includes("\n"));

const PLAIN = /^(?!(y|n|yes|no|on|off)$)[a-z/_][\w/.@ -]*$/i;

/** Characters that YAML takes only as an escape (YAML 1.1 §5.1), line breaks other than `\n`, and tabs. */
const UNPRINTABLE = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
const UNPRINTABLE_ALL = new RegExp(UNPRINTABLE, "gu");

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
