import { createHash } from "node:crypto";
import type { ServerHostKeyAlgorithm } from "ssh2";
import {
  findKnownKeys,
  knownHostsName,
  parsePublicKey,
  readKnownHosts,
  type KeyType,
  type KnownKey,
} from "./known-hosts";
import { addressOf, type SshTarget } from "./target";

/** A key that a host may have. */
export interface PinnedKey {
  /** `SHA256:…` as OpenSSH prints it. */
  readonly fingerprint: string;
  /** Unknown if only the fingerprint was given. */
  readonly type?: KeyType;
}

/** The keys that `connection.hostKey` allows, or no check. */
export type HostKeyOption = readonly PinnedKey[] | "ignore";

/** Why a host is not trusted. */
export interface HostKeyRefusal {
  readonly code: "HOST_KEY_UNKNOWN" | "HOST_KEY_CHANGED" | "HOST_KEY_REVOKED" | "HOST_KEY_MISMATCH";
  /** What failed, and what to do, in a sentence each. */
  readonly message: string;
}

/** The host key check of one connection. */
export interface HostKeyPolicy {
  /** For `ssh2`'s `algorithms.serverHostKey`: the algorithms of the expected key come first. */
  readonly serverHostKeyAlgorithms: ServerHostKeyAlgorithm[];
  /** Checks the raw blob that `ssh2` passes to its `hostVerifier`; undefined if the host may have the key. */
  verify(blob: Buffer): HostKeyRefusal | undefined;
}

/**
 * The key types in order of preference, as `ssh2` has them, and the signature algorithms of each. An RSA key
 * signs with SHA-2 (RFC 8332), except on an older host.
 */
const ALGORITHMS: Readonly<Record<KeyType, readonly ServerHostKeyAlgorithm[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"],
};

const TYPES = Object.keys(ALGORITHMS) as KeyType[];

const VALID_FORMS =
  'Give the host\'s public key ("ssh-ed25519 AAAA…"), a line of ssh-keyscan, its fingerprint ("SHA256:…") or "ignore".';

/**
 * Reads the rules for a host: its pinned key, else what `known_hosts` says. A key that a `known_hosts` line marks
 * `@revoked` is refused even if it is pinned; `ignore` alone accepts everything.
 *
 * @throws TypeError as {@link parseHostKeyOption}
 */
export async function loadHostKeyPolicy(
  target: Pick<SshTarget, "host" | "port" | "hostKey" | "knownHosts">,
): Promise<HostKeyPolicy> {
  const pinned = target.hostKey === undefined ? undefined : parseHostKeyOption(target.hostKey);
  if (pinned === "ignore") return { serverHostKeyAlgorithms: algorithmsOf(TYPES), verify: () => undefined };

  const { files, alias } = target.knownHosts ?? {};
  const name = alias === undefined ? target : { host: alias, port: 22 };
  const { known, withoutPort, revoked, hasAuthority } = findKnownKeys(await readKnownHosts(files), name);
  const trusted = [...known, ...withoutPort].filter((key) => !findKey(revoked, key.blob));
  const expected = pinned ? trusted.filter(({ blob }) => isPinned(blob, pinned)) : trusted;
  const expectedTypes = [...(pinned ?? []).map(({ type }) => type), ...expected.map(({ type }) => type)];

  return {
    // The other types stay on offer, so that a host without the expected key is refused with its current key
    // named.
    serverHostKeyAlgorithms: algorithmsOf([
      ...TYPES.filter((type) => expectedTypes.includes(type)),
      ...TYPES.filter((type) => !expectedTypes.includes(type)),
    ]),
    verify: (blob) => {
      const revocation = findKey(revoked, blob);
      if (revocation) return revokedKey(target, blob, revocation);
      if (pinned) return isPinned(blob, pinned) ? undefined : mismatchedKey(target, blob, pinned);
      if (findKey(trusted, blob)) return undefined;
      return known.length > 0 ? changedKey(target, blob, known) : unknownKey(target, blob, hasAuthority);
    },
  };
}

/**
 * Reads `connection.hostKey`: one or several of an OpenSSH public key (`ssh-ed25519 AAAA… [comment]`), a line of
 * `ssh-keyscan` or `known_hosts` (its names are not compared), a fingerprint (`SHA256:` and 43 characters of base64,
 * padded or not); or `ignore` alone.
 *
 * @throws TypeError for anything else, with a message that says what is valid and repeats nothing of the text but
 * the type of a certificate
 */
export function parseHostKeyOption(option: string | readonly string[]): HostKeyOption {
  if (typeof option === "string") return option.trim() === "ignore" ? "ignore" : [parsePinnedKey(option)];
  if (option.length === 0) throw new TypeError(`There is no key in the list. ${VALID_FORMS}`);
  if (option.some((each) => each.trim() === "ignore"))
    throw new TypeError(`"ignore" turns the check off and cannot stand beside keys. ${VALID_FORMS}`);
  return option.map(parsePinnedKey);
}

function parsePinnedKey(text: string): PinnedKey {
  const trimmed = text.trim();
  if (trimmed.startsWith("SHA256:")) return { fingerprint: parseFingerprint(trimmed) };
  if (/^@(revoked|cert-authority)\s/.test(trimmed))
    throw new TypeError(`A known_hosts line with a marker names no key of a host. ${VALID_FORMS}`);

  const words = trimmed.split(/[ \t]+/, 3);
  // A line of known_hosts has the host's names before the key.
  const [type = "", base64 = ""] = isKeyWord(words[0]) || !isKeyWord(words[1]) ? words : words.slice(1);
  if (/^[a-z0-9-]{1,40}-cert-v01@openssh\.com$/.test(type))
    throw new TypeError(`A certificate (${type}) cannot be checked. ${VALID_FORMS}`);
  if (!Object.hasOwn(ALGORITHMS, type) || /[\r\n]/.test(trimmed))
    throw new TypeError(
      `This is not one host key of a type that can be checked (${TYPES.join(", ")}). ${VALID_FORMS}`,
    );
  const key = parsePublicKey(type, base64);
  if (!key) throw new TypeError(`The ${type} key is cut short or damaged. ${VALID_FORMS}`);
  return { type: key.type, fingerprint: fingerprint(key.blob) };
}

const isKeyWord = (word = "") => /^(ssh|ecdsa|sk)-[a-z0-9@.-]+$/.test(word);

/** Whether `connection.hostKey` allows a host that has `key` (`ssh-ed25519 AAAA…`). */
export function allowsHostKey(option: string | readonly string[], key: string): boolean {
  const allowed = parseHostKeyOption(option);
  return allowed === "ignore" || isPinned(Buffer.from(key.split(" ")[1] ?? "", "base64"), allowed);
}

/** `SHA256:…` of a raw public key, as `ssh-keygen -l` prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace("=", "")}`;
}

/** A raw public key as `.pub` and `known_hosts` files hold it: `ssh-ed25519 AAAA…`. */
export function publicKeyText(blob: Buffer): string {
  return `${typeOf(blob)} ${blob.toString("base64")}`;
}

function parseFingerprint(text: string): string {
  const hash = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(text)?.[1];
  // 43 characters hold two bits more than the hash.
  if (!hash || Buffer.from(hash, "base64").toString("base64") !== `${hash}=`)
    throw new TypeError(`The fingerprint is not "SHA256:" and 43 characters of base64. ${VALID_FORMS}`);
  return `SHA256:${hash}`;
}

function algorithmsOf(types: readonly KeyType[]): ServerHostKeyAlgorithm[] {
  return types.flatMap((type) => ALGORITHMS[type]);
}

function findKey(keys: readonly KnownKey[], blob: Buffer): KnownKey | undefined {
  return keys.find((key) => key.blob.equals(blob));
}

function isPinned(blob: Buffer, pinned: readonly PinnedKey[]): boolean {
  return pinned.some((key) => fingerprint(blob) === key.fingerprint);
}

type Address = Pick<SshTarget, "host" | "port">;

function unknownKey(address: Address, blob: Buffer, hasAuthority: boolean): HostKeyRefusal {
  const authority = hasAuthority ? "The @cert-authority in known_hosts cannot vouch for it here. " : "";
  const message =
    `The host key of ${addressOf(address)} is not known (${nameOf(blob)}). ${authority}` +
    `Compare it with what ${consoleCommand(blob)} prints on the host's console, and if it is the same, set ` +
    `connection.hostKey to "${publicKeyText(blob)}" or add this line to ~/.ssh/known_hosts: ` +
    `${knownHostsName(address)} ${publicKeyText(blob)}`;
  return { code: "HOST_KEY_UNKNOWN", message };
}

function changedKey(address: Address, blob: Buffer, known: readonly KnownKey[]): HostKeyRefusal {
  const expected = known.map((key) => `line ${key.line} of ${key.file} says ${nameOf(key.blob)}`);
  const removals = [...new Set(known.map(({ file }) => file))].map(
    (file) => `\`ssh-keygen -f "${file}" -R "${knownHostsName(address)}"\``,
  );
  const message =
    `The host key of ${addressOf(address)} has changed: it is ${nameOf(blob)}, but ${expected.join(" and ")}. ` +
    `Someone may be intercepting the connection, or the host was reinstalled. Only if ${consoleCommand(blob)} prints the same on ` +
    `the host's console, remove what is outdated with ${removals.join(" and ")} and add this line to ` +
    `~/.ssh/known_hosts: ${knownHostsName(address)} ${publicKeyText(blob)}`;
  return { code: "HOST_KEY_CHANGED", message };
}

function mismatchedKey(address: Address, blob: Buffer, pinned: readonly PinnedKey[]): HostKeyRefusal {
  const expected = pinned.map(({ type, fingerprint: print }) => (type ? `${type} ${print}` : print));
  const otherwise = pinned.every(({ type }) => type)
    ? "or the host was reinstalled"
    : "the host was reinstalled, or the fingerprint is that of another of its keys";
  const message =
    `The host key of ${addressOf(address)} does not match the one that was set: it is ${nameOf(blob)}, not ${expected.join(" or ")}. ` +
    `Someone may be intercepting the connection, ${otherwise}. Only if ${consoleCommand(blob)} prints the same on the host's console, ` +
    `set connection.hostKey to "${publicKeyText(blob)}".`;
  return { code: "HOST_KEY_MISMATCH", message };
}

function revokedKey(address: Address, blob: Buffer, { file, line }: KnownKey): HostKeyRefusal {
  const message =
    `The host key of ${addressOf(address)}, ${nameOf(blob)}, is revoked by line ${line} of ${file}. ` +
    `Somebody may be using a stolen key: give the host a new one, or remove that line if it is wrong.`;
  return { code: "HOST_KEY_REVOKED", message };
}

function nameOf(blob: Buffer): string {
  return `${typeOf(blob)} ${fingerprint(blob)}`;
}

/** The command that prints the fingerprint on the host itself. */
function consoleCommand(blob: Buffer): string {
  const kind = /ed25519|ecdsa|rsa/.exec(typeOf(blob))?.[0] ?? "*";
  return `\`ssh-keygen -lf /etc/ssh/ssh_host_${kind}_key.pub\``;
}

/** The type of a blob: its first field. `ssh2` has compared it with the negotiated algorithm. */
function typeOf(blob: Buffer): string {
  return blob.toString("latin1", 4, 4 + blob.readUInt32BE(0));
}
