import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { SocketAddress, isIPv6 } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import type { SshTarget } from "./target";

/** A line of a `known_hosts` file that may apply to a host. Its key is not decoded yet. */
export interface KnownHostsLine {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** Marked `@revoked`: hosts that the line matches must not use the key. */
  readonly isRevoked: boolean;
  /** Marked `@cert-authority`: the key vouches for certificates of hosts that the line matches. */
  readonly isAuthority: boolean;
  /** Patterns separated by commas, or one hashed name, as in the file. */
  readonly hosts: string;
  readonly keyType: string;
  readonly base64: string;
}

/** How many fields a key's blob has: RFC 8709 §4, RFC 5656 §3.1, RFC 4253 §6.6. */
const FIELD_COUNT = {
  "ssh-ed25519": 2,
  "ecdsa-sha2-nistp256": 3,
  "ecdsa-sha2-nistp384": 3,
  "ecdsa-sha2-nistp521": 3,
  "ssh-rsa": 3,
} as const;

/** The types of host keys that can be verified. */
export type KeyType = keyof typeof FIELD_COUNT;

/** A host's public key. */
export interface PublicKey {
  readonly type: KeyType;
  /** The key in its wire format. */
  readonly blob: Buffer;
}

/** A public key, and the line that it comes from. */
export interface KnownKey extends PublicKey, Pick<KnownHostsLine, "file" | "line"> {}

/** What the `known_hosts` files say about one host. */
export interface KnownKeys {
  /**
   * Keys of exactly this name and port. If there are any, another key means that the host's key has changed.
   */
  readonly known: readonly KnownKey[];
  /** If there are none, and the port is not 22: keys of the name alone, which are trusted too. */
  readonly withoutPort: readonly KnownKey[];
  /** Keys to refuse in any case. */
  readonly revoked: readonly KnownKey[];
  /** Whether a certificate authority vouches for the host. `ssh2` verifies no certificate. */
  readonly hasAuthority: boolean;
}

type Address = Pick<SshTarget, "host" | "port">;

/**
 * The lines of a `known_hosts` file without comments, and lines that are cut short or have an unknown marker.
 *
 * @param file the name that the lines carry
 * @see sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"
 */
export function parseKnownHosts(text: string, file = "known_hosts"): KnownHostsLine[] {
  return text.split("\n").flatMap((line, index) => {
    const words = line.trim().split(/[ \t]+/, 4);
    const isRevoked = words[0] === "@revoked";
    const isAuthority = words[0] === "@cert-authority";
    const [hosts, keyType, base64] = isRevoked || isAuthority ? words.slice(1) : words;
    if (!hosts || !keyType || !base64 || /^[#@]/.test(hosts)) return [];
    return [{ file, line: index + 1, isRevoked, isAuthority, hosts, keyType, base64 }];
  });
}

/**
 * What `lines` say about a host, by the rules of OpenSSH's client: a port other than 22 is looked up as
 * `[host]:port`, patterns included, and only if that finds no key as `host` alone. Stricter than OpenSSH in one
 * point: a key that is revoked for the name is so for each of its ports.
 *
 * @see openssh-portable: hostfile.c `hostkeys_foreach_file`, sshconnect.c `check_host_key`
 */
export function findKnownKeys(lines: readonly KnownHostsLine[], { host, port }: Address): KnownKeys {
  const linesOf = (name: string) => lines.filter(({ hosts }) => matchesHosts(name, hosts));
  const exact = linesOf(knownHostsName({ host, port }));
  const bare = port === 22 ? [] : linesOf(knownHostsName({ host, port: 22 }));
  const known = keysOf(exact.filter(isOfHost));
  return {
    known,
    withoutPort: known.length === 0 ? keysOf(bare.filter(isOfHost)) : [],
    revoked: keysOf([...exact, ...bare].filter(({ isRevoked }) => isRevoked)),
    hasAuthority: [...exact, ...bare].some(({ isAuthority }) => isAuthority),
  };
}

const isOfHost = ({ isRevoked, isAuthority }: KnownHostsLine) => !isRevoked && !isAuthority;

/** A host as `known_hosts` names it: in lower case, as `[host]:port` unless the port is 22. */
export function knownHostsName({ host, port }: Address): string {
  const name = canonicalHost(host);
  return port === 22 ? name : `[${name}]:${port}`;
}

/**
 * The lines of all files, by default those that OpenSSH's client reads. A missing or unreadable file has none.
 */
export async function readKnownHosts(
  files: readonly string[] = knownHostsFiles(),
): Promise<KnownHostsLine[]> {
  const lines = await Promise.all(
    files.map(async (file) => parseKnownHosts(await readFile(file, "utf8").catch(() => ""), file)),
  );
  return lines.flat();
}

/**
 * A public key from its two words in a `.pub` or `known_hosts` file; `undefined` if the type is not one that can
 * be verified, or the key is damaged or of another type.
 */
export function parsePublicKey(type: string, base64: string): PublicKey | undefined {
  const blob = Buffer.from(base64, "base64");
  // Node skips characters that are not base64, OpenSSH does not.
  if (!isKeyType(type) || blob.toString("base64") !== base64) return undefined;
  const fields = fieldsOf(blob);
  return fields?.length === FIELD_COUNT[type] && fields[0]?.toString("latin1") === type
    ? { type, blob }
    : undefined;
}

/** @see ssh_config(5), `UserKnownHostsFile` and `GlobalKnownHostsFile` */
function knownHostsFiles(): string[] {
  const system =
    process.platform === "win32" ? join(process.env["ProgramData"] ?? "C:\\ProgramData", "ssh") : "/etc/ssh";
  return [
    ...userFolders().flatMap((folder) => [join(folder, "known_hosts"), join(folder, "known_hosts2")]),
    join(system, "ssh_known_hosts"),
    join(system, "ssh_known_hosts2"),
  ];
}

/** `~/.ssh`; undefined for a user ID without a home, as in containers. */
function userFolders(): string[] {
  try {
    return [join(homedir(), ".ssh")];
  } catch {
    return [];
  }
}

/** As OpenSSH does before it looks up a host: names in lower case, addresses in their shortest form. */
function canonicalHost(host: string): string {
  // SocketAddress does not accept a zone.
  if (isIPv6(host) && !host.includes("%"))
    return new SocketAddress({ address: host, family: "ipv6" }).address;
  return host.toLowerCase();
}

function matchesHosts(name: string, hosts: string): boolean {
  if (hosts.startsWith("|")) return matchesHash(name, hosts);
  const patterns = hosts.toLowerCase().split(",");
  return (
    patterns.some((pattern) => !pattern.startsWith("!") && matchesPattern(name, pattern)) &&
    !patterns.some((pattern) => pattern.startsWith("!") && matchesPattern(name, pattern.slice(1)))
  );
}

/** `|1|salt|hash`, where the hash is HMAC-SHA1 of the name, keyed with the salt. */
function matchesHash(name: string, hashed: string): boolean {
  const salt = Buffer.from(hashed.split("|")[2] ?? "", "base64");
  const hash = createHmac("sha1", salt).update(name).digest("base64");
  return hashed === `|1|${salt.toString("base64")}|${hash}`;
}

/**
 * `*` is any text, `?` any character. Backtracks to the last `*` only, so that no pattern takes long.
 *
 * @see openssh-portable: match.c `match_pattern`
 */
function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let starEnd = 0;
  while (at < text.length) {
    if (pattern[next] === "*") {
      star = next++;
      starEnd = at;
    } else if (pattern[next] === "?" || pattern[next] === text[at]) {
      next++;
      at++;
    } else if (star >= 0) {
      next = star + 1;
      at = ++starEnd;
    } else {
      return false;
    }
  }
  return /^\**$/.test(pattern.slice(next));
}

function keysOf(lines: readonly KnownHostsLine[]): KnownKey[] {
  return lines.flatMap(({ file, line, keyType, base64 }) => {
    const key = parsePublicKey(keyType, base64);
    return key ? [{ ...key, file, line }] : [];
  });
}

function isKeyType(type: string): type is KeyType {
  return Object.hasOwn(FIELD_COUNT, type);
}

/** Splits a blob into its length-prefixed fields; undefined if it ends within one. */
function fieldsOf(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  for (let at = 0; at < blob.length;) {
    const start = at + 4;
    if (start > blob.length) return undefined;
    at = start + blob.readUInt32BE(at);
    if (at > blob.length) return undefined;
    fields.push(blob.subarray(start, at));
  }
  return fields;
}
