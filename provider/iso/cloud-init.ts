import { createHash } from "node:crypto";
import type * as Yaml from "yaml";

/** A user that cloud-init makes. */
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

/**
 * The text of `user-data`.
 *
 * @throws TypeError when `userData` is text and there is something to add to it, or a `passwordHash` is none
 */
export function userDataOf(settings: {
  readonly users?: readonly CloudInitUser[] | undefined;
  readonly sshAuthorizedKeys?: readonly string[] | undefined;
  readonly userData?: CloudConfig | undefined;
}): string {
  const { users, sshAuthorizedKeys, userData = {} } = settings;
  if (typeof userData !== "string")
    return cloudConfigOf({
      // The image's own user stays: a list without it would have taken its place.
      ...(users && { users: ["default", ...users.map(userOf)] }),
      ...(sshAuthorizedKeys && { ssh_authorized_keys: sshAuthorizedKeys }),
      ...userData,
    });
  if (users ?? sshAuthorizedKeys)
    throw new TypeError(
      "cloudInit: userData is text, to which users and sshAuthorizedKeys cannot be added; give it as an object, or put them into the text.",
    );
  return userData;
}

/** The text of `vendor-data`, or of anything else that takes cloud-config. */
export function cloudConfigOf(config: CloudConfig): string {
  return typeof config === "string" ? config : `#cloud-config\n${yamlOf(config)}`;
}

/**
 * The text of `network-config`.
 *
 * @param network as netplan has it below `network:`
 * @throws TypeError for another version than 2, or with `network:` around it
 */
export function networkConfigOf(network: Readonly<Record<string, unknown>>): string {
  const { version = 2, ...rest } = network;
  if (version !== 2 || "network" in rest || "config" in rest)
    throw new TypeError(
      "cloudInit: network takes version 2 of the network configuration, what netplan has below `network:`, such as { ethernets: … }.",
    );
  return yamlOf({ version, ...rest });
}

/**
 * The text of `meta-data`. The instance's ID is made from all that is on the disc: to cloud-init, other content is
 * another instance, on which it does its work anew.
 */
export function metaDataOf(settings: {
  readonly hostname?: string | undefined;
  readonly userData: string;
  readonly vendorData?: string | undefined;
  readonly networkConfig?: string | undefined;
}): string {
  const { hostname, userData, vendorData, networkConfig } = settings;
  const content = JSON.stringify([hostname, userData, vendorData, networkConfig].map((each) => each ?? null));
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16);
  return yamlOf({
    "instance-id": `iid-${digest}`,
    ...(hostname !== undefined && { "local-hostname": hostname }),
  });
}

/** By cloud-init's names; undefined where there is nothing to say. */
function userOf({ name, sshAuthorizedKeys, passwordHash, groups, sudo, shell }: CloudInitUser) {
  // A password as it is would lie on the disc for everybody, and would let nobody in.
  if (passwordHash !== undefined && !/^\$[\w-]+\$/.test(passwordHash))
    throw new TypeError(
      `cloudInit: passwordHash of user ${JSON.stringify(name)} is no hash such as \`mkpasswd --method=sha-512\` prints.`,
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

/**
 * YAML that is the same under version 1.1, which cloud-init reads, and 1.2. Keys are sorted, as those of a Pulumi
 * output come in any order.
 */
function yamlOf(value: object): string {
  // Loaded when it is needed: a tenth of the time that importing @pulumi/pulumi takes, and few programs need it.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { Document, visit } = require("yaml") as typeof Yaml;
  const document = new Document(value, { aliasDuplicateObjects: false, sortMapEntries: true });
  visit(document, {
    Scalar: (_key, node) => {
      if (typeof node.value === "string" && isQuoted(node.value)) node.type = "QUOTE_DOUBLE";
    },
  });
  return document.toString({ lineWidth: 0 }).replace(UNPRINTABLE_ALL, escaped);
}

/** Whether a text is quoted whatever the library thinks: many mean something else under version 1.1, `no`, `1:30`. */
const isQuoted = (text: string) => UNPRINTABLE.test(text) || !(PLAIN.test(text) || text.includes("\n"));

const PLAIN = /^(?!(y|n|yes|no|on|off)$)[a-z/_][\w/.@ -]*$/i;

/** What YAML takes as an escape only (YAML 1.1 §5.1), line breaks beside `\n`, and tabs. */
const UNPRINTABLE = /[^\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;
const UNPRINTABLE_ALL = new RegExp(UNPRINTABLE, "gu");

const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
