import { pbkdf } from "bcrypt-pbkdf";
import { createDecipheriv, createPrivateKey, type KeyObject } from "node:crypto";
import { type ParsedKey, utils } from "ssh2";

/** A usable private key, or what is wrong with its text, in words that reveal nothing of it. */
export type LoadedKey = { readonly key: ParsedKey } | { readonly problem: string };

const ENCRYPTED = "it is encrypted; set privateKeyPassword to its passphrase";
const WRONG_PASSPHRASE = "privateKeyPassword does not open it; check the passphrase";
const NO_ED25519 =
  "it is of type ed25519, which Node.js does not have in FIPS mode; use a key of type rsa or ecdsa";
const NO_CHACHA =
  "it is encrypted with ChaCha20, which this Node.js does not have; encrypt it anew with `ssh-keygen -p -Z aes256-ctr`";
const DAMAGED = "it is cut short or damaged; copy the whole file again";

/**
 * Reads a private key in any form that `ssh-keygen` reads: OpenSSH with every cipher of `ssh-keygen -Z`, PEM
 * for RSA and ECDSA keys, PKCS#8 plain and encrypted; and PuTTY version 2.
 */
export function loadPrivateKey(privateKey: string, privateKeyPassword?: string): LoadedKey {
  const text = privateKey.trim();
  const misfit = misfitOf(text);
  if (misfit) return { problem: misfit };
  if (/^-----BEGIN (RSA |EC |DSA |ENCRYPTED )?PRIVATE KEY-----/.test(text))
    return readPem(text, privateKeyPassword);
  let plain: string | undefined;
  try {
    plain = withoutChaCha(text, privateKeyPassword);
  } catch (error) {
    return { problem: isNotInNode(error) ? NO_CHACHA : DAMAGED };
  }
  const key = utils.parseKey(plain ?? text, privateKeyPassword);
  return key instanceof Error ? { problem: problemOf(key, privateKeyPassword) } : { key: firstOf(key) };
}

/** What a text looks like that is not a private key, and the way out. */
function misfitOf(text: string): string | undefined {
  if (/^PuTTY-User-Key-File-3:/.test(text))
    return "it is a PuTTY key of version 3; convert it with `puttygen key.ppk -O private-openssh -o key`";
  if (/^PuTTY-User-Key-File-2:/.test(text)) return undefined;
  if (/^[a-z0-9@.-]+-cert-v01@openssh\.com /.test(text))
    return "it is a certificate; give the private key that belongs to it";
  if (
    /^(ssh-|ecdsa-|sk-)[^ ]+ AAAA/.test(text) ||
    /^(-----BEGIN|---- BEGIN) ([A-Z0-9]+ )*PUBLIC KEY/.test(text)
  )
    return "it is a public key; give the private key, the file without .pub";
  if (/^-----BEGIN CERTIFICATE-----/.test(text))
    return "it is a certificate; give the private key that belongs to it";
  if (!/-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----/.test(text)) return misfitWithoutHeader(text);
  if (/-----BEGIN [A-Z0-9 ]+-----\\n/.test(text))
    return 'it has the two characters "\\n" in place of line ends; replace them with real line ends';
  if (!text.includes("\n"))
    return "it has blanks, or nothing, in place of line ends; keep the line ends of the file";
  if (!/-----END [A-Z0-9 ]+-----$/.test(text)) return DAMAGED;
  return undefined;
}

function misfitWithoutHeader(text: string): string {
  const decoded = /^[A-Za-z0-9+/=\s]+$/.test(text) ? Buffer.from(text, "base64").toString("latin1") : "";
  if (/^(-----BEGIN |openssh-key-v1)/.test(decoded))
    return decoded.startsWith("-")
      ? 'it is a key in base64; decode it first, `Buffer.from(text, "base64").toString()`'
      : "it has no BEGIN and END lines; give the whole text of the file";
  if (
    /^[^\n]{1,500}$/.test(text) &&
    (/^(~|\.{0,2}\/|[A-Za-z]:\\)/.test(text) || /\.(pem|key|pub)$|id_[a-z0-9]+$/.test(text))
  )
    return 'it is a path; give the text of the file, `readFileSync(path, "utf8")`';
  return "it is not a private key in a form that ssh-keygen reads; give the whole text of the file";
}

function readPem(text: string, passphrase: string | undefined): LoadedKey {
  const isEncrypted = /ENCRYPTED/.test(text);
  if (isEncrypted && passphrase === undefined) return { problem: ENCRYPTED };
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: text, ...(isEncrypted && { passphrase }) });
  } catch {
    return { problem: isEncrypted ? WRONG_PASSPHRASE : DAMAGED };
  }
  const parsed = utils.parseKey(toOpenSsh(key) ?? "");
  if (!(parsed instanceof Error)) return { key: firstOf(parsed) };
  if (key.asymmetricKeyType === "ed25519") return { problem: NO_ED25519 };
  const type = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? "unknown";
  return {
    problem: `it is of type ${type}, which SSH does not have; make one with \`ssh-keygen -t ed25519\``,
  };
}

/** Converts a key to a form that `ssh2` reads. */
function toOpenSsh(key: KeyObject): string | undefined {
  const { asymmetricKeyType: type } = key;
  if (type === "rsa") return key.export({ type: "pkcs1", format: "pem" }) as string;
  if (type === "ec") return key.export({ type: "sec1", format: "pem" }) as string;
  if (type !== "ed25519") return undefined;
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const name = field("ssh-ed25519");
  const secret = [name, field(point), field(Buffer.concat([seed, point])), field("")];
  return openSshText(Buffer.concat([name, field(point)]), Buffer.concat([Buffer.alloc(8), ...secret]));
}

/**
 * Decrypts a key that is encrypted with ChaCha20, which `ssh2` cannot read.
 *
 * @see openssh-portable: PROTOCOL.key, cipher-chachapoly.c: the stream begins at block 1, with a nonce of 0
 */
function withoutChaCha(text: string, passphrase: string | undefined): string | undefined {
  const body = /^-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*)-----END/.exec(text)?.[1];
  if (body === undefined || passphrase === undefined) return undefined;
  const reader = new FieldReader(Buffer.from(body, "base64").subarray(MAGIC.length));
  const [cipher, , options] = [reader.next(), reader.next(), reader.next()];
  if (cipher.toString() !== "chacha20-poly1305@openssh.com") return undefined;
  reader.skip(4);
  const [publicKey, sealed] = [reader.next(), reader.next()];
  const salt = new FieldReader(options).next();
  const keys = Buffer.alloc(64);
  const secret = Buffer.from(passphrase);
  pbkdf(secret, secret.length, salt, salt.length, keys, keys.length, options.readUInt32BE(4 + salt.length));
  const counter = Buffer.alloc(16);
  counter[0] = 1;
  const decipher = createDecipheriv("chacha20", keys.subarray(0, 32), counter);
  return openSshText(publicKey, decipher.update(sealed));
}

/** OpenSSL lacks the cipher, or FIPS mode forbids it. */
function isNotInNode(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ERR_CRYPTO_UNKNOWN_CIPHER" || code === "ERR_OSSL_EVP_UNSUPPORTED";
}

const MAGIC = Buffer.from("openssh-key-v1\0");

/** Builds an unencrypted key file; `secret` begins with two equal check numbers. */
function openSshText(publicKey: Buffer, secret: Buffer): string {
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const one = Buffer.from([0, 0, 0, 1]);
  const key = [
    field("none"),
    field("none"),
    field(""),
    one,
    field(publicKey),
    field(Buffer.concat([secret, padding])),
  ];
  const base64 = Buffer.concat([MAGIC, ...key]).toString("base64");
  const lines = base64.match(/.{1,70}/g)?.join("\n") ?? "";
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----`;
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

class FieldReader {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  skip(count: number): void {
    this.#at += count;
  }

  /** Empty past the end. */
  next(): Buffer {
    if (this.#at + 4 > this.bytes.length) return Buffer.alloc(0);
    const start = this.#at + 4;
    this.#at = start + this.bytes.readUInt32BE(this.#at);
    return this.bytes.subarray(start, this.#at);
  }
}

function problemOf({ message }: Error, passphrase: string | undefined): string {
  if (/no passphrase given/.test(message)) return ENCRYPTED;
  if (passphrase !== undefined && /passphrase|integrity|decrypt|authenticate data/i.test(message))
    return WRONG_PASSPHRASE;
  const type = /Unsupported OpenSSH private key type: ([a-z0-9@.-]+)/.exec(message)?.[1];
  if (type?.startsWith("sk-"))
    return `it is a hardware key (${type}), which cannot be used here; use a key of type ed25519`;
  if (type === "ssh-ed25519") return NO_ED25519;
  return DAMAGED;
}

/** In practice, an OpenSSH file has one key. */
function firstOf(key: ParsedKey | ParsedKey[]): ParsedKey {
  return Array.isArray(key) ? (key[0] as ParsedKey) : key;
}
