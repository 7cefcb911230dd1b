import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadPrivateKey } from "../../../provider/ssh/private-key";

const PASSPHRASE = "s3cret";

/** A key as `ssh-keygen` writes it, and its public half. */
function keygen(...options: readonly string[]): { privateKey: string; publicKey: string } {
  const path = join(mkdtempSync(join(tmpdir(), "key-")), "key");
  execFileSync("ssh-keygen", ["-q", "-C", "", "-f", path, ...options]);
  const read = (file: string) => readFileSync(file, "utf8");
  return { privateKey: read(path), publicKey: read(`${path}.pub`).trim() };
}

/** The public half of a key that was loaded, as `ssh-keygen` writes it. */
function publicHalf(privateKey: string, passphrase?: string): string {
  const loaded = loadPrivateKey(privateKey, passphrase);
  if ("problem" in loaded) throw new Error(loaded.problem);
  return `${loaded.key.type} ${loaded.key.getPublicSSH().toString("base64")}`;
}

const ciphers = execFileSync("ssh", ["-Q", "cipher"], { encoding: "utf8" }).trim().split("\n");

test.each(ciphers)("reads an OpenSSH key encrypted with %s", (cipher) => {
  const { privateKey, publicKey } = keygen("-t", "ed25519", "-N", PASSPHRASE, "-Z", cipher, "-a", "4");
  expect(publicHalf(privateKey, PASSPHRASE)).toBe(publicKey);
  expect(loadPrivateKey(privateKey)).toEqual({
    problem: expect.stringContaining("it is encrypted") as string,
  });
  expect(loadPrivateKey(privateKey, "wrong")).toEqual({
    problem: expect.stringContaining("privateKeyPassword does not open it") as string,
  });
});

/** The checksum of a key that is encrypted with ChaCha20, and its padding. */
const LAST_BYTES = 24;

test("a key encrypted with ChaCha20 that is cut anywhere is named as damaged", () => {
  const cipher = ["-Z", "chacha20-poly1305@openssh.com", "-a", "1"];
  const { privateKey } = keygen("-t", "ed25519", "-N", PASSPHRASE, ...cipher);
  const [begin = "", ...lines] = privateKey.trim().split("\n");
  const bytes = Buffer.from(lines.slice(0, -1).join(""), "base64");
  for (let length = 15; length < bytes.length - LAST_BYTES; length += 7) {
    const cut = [begin, bytes.subarray(0, length).toString("base64"), lines.at(-1)].join("\n");
    expect(loadPrivateKey(cut, PASSPHRASE)).toEqual({ problem: expect.any(String) as string });
  }
});

test.each(
  (["PEM", "PKCS8", "RFC4716"] as const).flatMap((form) =>
    [
      ["rsa", "2048"],
      ["ecdsa", "256"],
      ["ecdsa", "384"],
      ["ecdsa", "521"],
    ].flatMap(([type = "", bits = ""]) =>
      ["", PASSPHRASE].map((passphrase) => ({ form, type, bits, passphrase })),
    ),
  ),
)(
  "reads a key of ssh-keygen -m $form -t $type -b $bits -N '$passphrase'",
  ({ form, type, bits, passphrase }) => {
    const { privateKey, publicKey } = keygen("-m", form, "-t", type, "-b", bits, "-N", passphrase);
    expect(publicHalf(privateKey, passphrase || undefined)).toBe(publicKey);
  },
);

test.each([undefined, "aes-256-cbc"])("reads an Ed25519 key in PKCS#8, cipher %s", (cipher) => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const options = { type: "pkcs8", format: "pem" } as const;
  const text = privateKey.export(cipher ? { ...options, cipher, passphrase: PASSPHRASE } : options) as string;
  const { x = "" } = publicKey.export({ format: "jwk" });
  const blob = Buffer.from(publicHalf(text, cipher && PASSPHRASE).split(" ")[1] ?? "", "base64");
  expect(blob.subarray(-32)).toEqual(Buffer.from(x, "base64url"));
  if (cipher)
    expect(loadPrivateKey(text, "wrong")).toEqual({
      problem: expect.stringContaining("does not open") as string,
    });
});

test("signs with a key that was converted", () => {
  const { privateKey } = generateKeyPairSync("ed25519");
  const loaded = loadPrivateKey(privateKey.export({ type: "pkcs8", format: "pem" }) as string);
  if ("problem" in loaded) throw new Error(loaded.problem);
  const data = Buffer.from("data");
  const signature = loaded.key.sign(data);
  expect(signature).toBeInstanceOf(Buffer);
  expect(loaded.key.verify(data, signature)).toBe(true);
});

describe("names what a text looks like, and repeats nothing of it", () => {
  const { privateKey, publicKey } = keygen("-t", "ed25519", "-N", "");
  const ec = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
  test.each<[string, string, RegExp]>([
    ["a path", "~/.ssh/id_ed25519", /it is a path/],
    ["an absolute path", "/home/user/keys/xen.pem", /it is a path/],
    ["a path of Windows", "C:\\keys\\xen.pem", /it is a path/],
    ["base64 of a key", Buffer.from(privateKey).toString("base64"), /it is a key in base64/],
    [
      "a key without its first and last line",
      privateKey.split("\n").slice(1, -2).join("\n"),
      /no BEGIN and END/,
    ],
    ["\\n as two characters", privateKey.replaceAll("\n", "\\n"), /two characters "\\n"/],
    ["blanks in place of line ends", privateKey.replaceAll("\n", " "), /blanks/],
    ["a PuTTY key of version 3", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n", /puttygen/],
    ["a public key", publicKey, /it is a public key/],
    [
      "a public key in PEM",
      "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
      /it is a public key/,
    ],
    ["a certificate", "ssh-ed25519-cert-v01@openssh.com AAAAIHNz", /it is a certificate/],
    [
      "a TLS certificate",
      "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
      /it is a certificate/,
    ],
    ["a key that is cut short", privateKey.slice(0, 150), /cut short/],
    ["a damaged key", privateKey.replace(/b3BlbnNzaC1r/, "b3BlbnNzaC1s"), /damaged/],
    [
      "a curve that SSH does not have",
      ec.export({ type: "pkcs8", format: "pem" }) as string,
      /type secp256k1/,
    ],
    ["another text", "hunter2", /not a private key/],
  ])("%s", (_what, text, message) => {
    const loaded = loadPrivateKey(text);
    expect(loaded).toEqual({ problem: expect.stringMatching(message) as string });
    const secret = privateKey.split("\n")[2] ?? "";
    expect(JSON.stringify(loaded)).not.toContain(secret);
    expect(JSON.stringify(loaded)).not.toContain("hunter2");
  });
});
