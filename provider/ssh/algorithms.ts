import { generateKeyPairSync, getCiphers, getHashes, sign } from "node:crypto";
import type { CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from "ssh2";
import type { Algorithms } from "./server-hello";

/** The algorithms to offer, in the form that `ssh2` takes. */
interface Offer {
  readonly kex: KexAlgorithm[];
  readonly cipher: CipherAlgorithm[];
  readonly hmac: MacAlgorithm[];
}

/** Each with OpenSSL's name. AES-GCM first: with it `ssh2` is as fast as OpenSSH's own client. */
const CIPHERS: readonly (readonly [CipherAlgorithm, string])[] = [
  ["aes128-gcm@openssh.com", "aes-128-gcm"],
  ["aes256-gcm@openssh.com", "aes-256-gcm"],
  ["chacha20-poly1305@openssh.com", "chacha20"],
  ["aes128-ctr", "aes-128-ctr"],
  ["aes192-ctr", "aes-192-ctr"],
  ["aes256-ctr", "aes-256-ctr"],
];

const MACS: readonly (readonly [MacAlgorithm, string])[] = [
  ["hmac-sha2-256-etm@openssh.com", "sha256"],
  ["hmac-sha2-512-etm@openssh.com", "sha512"],
  ["hmac-sha1-etm@openssh.com", "sha1"],
  ["hmac-sha2-256", "sha256"],
  ["hmac-sha2-512", "sha512"],
  ["hmac-sha1", "sha1"],
];

const X25519: readonly KexAlgorithm[] = ["curve25519-sha256", "curve25519-sha256@libssh.org"];

const OTHER_KEX: readonly KexAlgorithm[] = [
  "ecdh-sha2-nistp256",
  "ecdh-sha2-nistp384",
  "ecdh-sha2-nistp521",
  "diffie-hellman-group-exchange-sha256",
  "diffie-hellman-group14-sha256",
  "diffie-hellman-group15-sha512",
  "diffie-hellman-group16-sha512",
  "diffie-hellman-group17-sha512",
  "diffie-hellman-group18-sha512",
];

let offer: Offer | undefined;

/**
 * The algorithms that this Node supports. In FIPS mode, for instance, it has neither ChaCha20 nor Curve25519.
 */
export function offeredAlgorithms(): Offer {
  return (offer ??= {
    kex: [...(canUse(() => generateKeyPairSync("x25519")) ? X25519 : []), ...OTHER_KEX],
    cipher: available(CIPHERS, getCiphers()),
    hmac: available(MACS, getHashes()),
  });
}

/** The host key algorithms that this Node can verify. */
export function verifiable(algorithms: readonly ServerHostKeyAlgorithm[]): ServerHostKeyAlgorithm[] {
  return algorithms.filter((name) => name !== "ssh-ed25519" || hasEd25519());
}

/**
 * Names the kind of algorithm that two sides have none of in common, and what each of them offers.
 *
 * @returns undefined if they have one of each kind
 */
export function algorithmConflict(theirs: Algorithms, hostKeys: readonly string[]): string | undefined {
  const { kex, cipher, hmac } = offeredAlgorithms();
  const sharedCipher = cipher.find((name) => theirs.cipher.includes(name));
  const hasOwnMac = sharedCipher?.endsWith("@openssh.com") === true;
  const kinds: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    ["key exchange algorithm", "KexAlgorithms", kex, theirs.kex],
    ["host key algorithm", "HostKeyAlgorithms", hostKeys, theirs.hostKey],
    ["cipher", "Ciphers", cipher, theirs.cipher],
    ...(hasOwnMac ? [] : [["MAC", "MACs", hmac, theirs.mac] as const]),
  ];
  for (const [kind, option, ours, others] of kinds) {
    if (ours.some((name) => others.includes(name))) continue;
    const offered = others.filter((name) => !/^(kex-strict|ext-info)-/.test(name)).join(", ");
    return (
      `no ${kind} in common. Allow one of these in ${option} of the host's sshd_config: ${ours.join(", ")}. ` +
      `(The host offers: ${offered})`
    );
  }
  return undefined;
}

function available<T>(names: readonly (readonly [T, string])[], known: readonly string[]): T[] {
  return names.filter(([, name]) => known.includes(name)).map(([name]) => name);
}

let ed25519: boolean | undefined;

function hasEd25519(): boolean {
  return (ed25519 ??= canUse(() => sign(null, Buffer.alloc(1), generateKeyPairSync("ed25519").privateKey)));
}

function canUse(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}
