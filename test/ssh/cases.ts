import type { ChildProcess } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { offeredAlgorithms } from "../../provider/ssh/algorithms";
import type { SshTarget } from "../../provider/ssh/target";
import { keygen, type KeyFile, staleAgent, startAgent } from "./keys";
import { PASSWORD, type SshdOptions } from "./sshd";

/** The same login for both clients. */
export interface Credentials {
  readonly name: string;
  readonly target: Partial<SshTarget>;
  readonly options: readonly string[];
  readonly password?: string;
}

/** A way in which the host's key is checked, given the port of the host. */
export interface HostKeyCheck {
  readonly name: string;
  readonly target: (port: number) => Partial<SshTarget>;
  readonly options: (port: number) => readonly string[];
}

/** An sshd and what is tried with it. */
export interface Setting {
  readonly name: string;
  readonly sshd: SshdOptions;
  readonly credentials: readonly Credentials[];
  readonly hostKeys: readonly HostKeyCheck[];
  /** Further options for `ssh`. */
  readonly options?: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), "known-"));
let files = 0;

function fileOf(text: string): string {
  const path = join(folder, String(files++));
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

export const hostKey = keygen("-t", "ed25519");
const rsaHostKey = keygen("-t", "rsa", "-b", "2048");
const ecdsaHostKey = keygen("-t", "ecdsa", "-b", "256");
const otherHostKey = keygen("-t", "ed25519");

export const right = keygen("-t", "ed25519");
const second = keygen("-t", "ed25519");
const rsa = keygen("-t", "rsa", "-b", "2048");
const ecdsa = keygen("-t", "ecdsa", "-b", "384");
export const encrypted = keygen("-t", "ed25519", "-N", "s3cret", "-a", "4");
const pkcs8 = keygen("-t", "rsa", "-b", "2048", "-m", "PKCS8");
export const wrong = Array.from({ length: 7 }, () => keygen("-t", "ed25519"));
export const authorizedKeys = [right, second, rsa, ecdsa, encrypted, pkcs8].map(({ publicKey }) => publicKey);

const WRONG_PASSWORD = "not-the-password";

const noAgent = ["-o", "IdentityAgent=none"];
const noKey = ["-o", "PubkeyAuthentication=no"];
const alone = ["-o", "IdentitiesOnly=yes"];
/** The program's password comes before the agent. */
const passwordFirst = ["-o", "PreferredAuthentications=keyboard-interactive,password,publickey"];

/** Without a password `ssh` would ask for one, and send an empty one. */
const keyOnly = ["-o", "PreferredAuthentications=publickey"];

const withKey = (name: string, key: KeyFile, password?: string): Credentials => ({
  name: password === undefined ? name : `${name}, ${password === PASSWORD ? "right" : "wrong"} password`,
  target: { privateKey: key.privateKey, ...(password !== undefined && { password }) },
  options: [...noAgent, ...alone, "-i", key.path, ...(password === undefined ? keyOnly : [])],
  ...(password !== undefined && { password }),
});

const withPassword = (name: string, password: string): Credentials => ({
  name,
  target: { password },
  options: [...noAgent, ...noKey],
  password,
});

const withAgent = (name: string, socket: string, password?: string): Credentials => ({
  name: password === undefined ? name : `${name}, ${password === PASSWORD ? "right" : "wrong"} password`,
  target: { agentSocketPath: socket, ...(password !== undefined && { password }) },
  options: [
    "-o",
    `IdentityAgent=${socket}`,
    "-o",
    "IdentityFile=none",
    ...(password === undefined ? keyOnly : passwordFirst),
  ],
  ...(password !== undefined && { password }),
});

/** The ways to log in that the cases combine with configurations. */
export async function makeCredentials(agents: ChildProcess[]): Promise<Credentials[]> {
  const good = await startAgent([right], agents);
  const mixed = await startAgent([...wrong.slice(0, 3), right], agents);
  const bad = await startAgent(wrong, agents);
  const both = await startAgent([right, second], agents);
  const stale = await staleAgent();
  return [
    withPassword("right password", PASSWORD),
    withPassword("wrong password", WRONG_PASSWORD),
    withKey("ed25519 key", right),
    withKey("rsa key", rsa),
    withKey("ecdsa key", ecdsa),
    withKey("rsa key in PKCS#8", pkcs8),
    {
      name: "encrypted key",
      target: { privateKey: encrypted.privateKey, privateKeyPassword: "s3cret" },
      options: [...noAgent, ...alone, "-i", encrypted.path, "-o", "PreferredAuthentications=publickey"],
      password: "s3cret",
    },
    withKey("wrong key", wrong[0] as KeyFile),
    withKey("ed25519 key", right, PASSWORD),
    withKey("wrong key", wrong[0] as KeyFile, PASSWORD),
    withKey("wrong key", wrong[0] as KeyFile, WRONG_PASSWORD),
    withKey("ed25519 key", right, WRONG_PASSWORD),
    withAgent("agent", good),
    withAgent("agent with two good keys", both),
    withAgent("agent with the good key fourth", mixed),
    withAgent("agent with 7 wrong keys", bad),
    withAgent("agent", good, PASSWORD),
    withAgent("agent with 7 wrong keys", bad, PASSWORD),
    withAgent("agent that has ended", stale),
    withAgent("agent that has ended", stale, PASSWORD),
    withAgent("agent that has ended", stale, WRONG_PASSWORD),
    { name: "nothing", target: {}, options: [...noAgent, ...noKey, "-o", "BatchMode=yes"] },
  ];
}

const nameOf = (port: number) => `[127.0.0.1]:${port}`;
const strict = ["-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=none"];

/** Both read the same known_hosts. */
const byKnownHosts = (name: string, textOf: (port: number) => string, alias?: string): HostKeyCheck => {
  const paths = new Map<number, string>();
  const path = (port: number) => {
    const known = paths.get(port) ?? fileOf(textOf(port));
    paths.set(port, known);
    return known;
  };
  return {
    name,
    target: (port) => ({ knownHosts: { files: [path(port)], ...(alias && { alias }) } }),
    options: (port) => [
      ...strict,
      "-o",
      `UserKnownHostsFile=${path(port)}`,
      ...(alias ? ["-o", `HostKeyAlias=${alias}`] : []),
    ],
  };
};

/** Here pinned, there in a known_hosts of the same content. */
const pinned = (name: string, ...keys: readonly KeyFile[]): HostKeyCheck => {
  const known = byKnownHosts(name, (port) =>
    keys.map(({ publicKey }) => `${nameOf(port)} ${publicKey}`).join("\n"),
  );
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  const one = publicKeys.length === 1 ? (publicKeys[0] ?? "") : publicKeys;
  return { ...known, target: () => ({ hostKey: one }) };
};

export const good = pinned("pinned key", hostKey);

const HOST_KEY_CHECKS: readonly HostKeyCheck[] = [
  pinned("pinned rsa key", rsaHostKey),
  pinned("pinned ecdsa key", ecdsaHostKey),
  pinned("one of two pinned keys", otherHostKey, hostKey),
  pinned("another pinned key", otherHostKey),
  byKnownHosts("known_hosts", (port) => `${nameOf(port)} ${hostKey.publicKey}`),
  byKnownHosts("known_hosts with the rsa key only", (port) => `${nameOf(port)} ${rsaHostKey.publicKey}`),
  byKnownHosts("known_hosts without the port", () => `127.0.0.1 ${hostKey.publicKey}`),
  byKnownHosts("known_hosts with a pattern", () => `[127.0.0.*]:* ${hostKey.publicKey}`),
  byKnownHosts("known_hosts with another key", (port) => `${nameOf(port)} ${otherHostKey.publicKey}`),
  byKnownHosts("empty known_hosts", () => ""),
  byKnownHosts(
    "revoked key",
    (port) => `@revoked * ${hostKey.publicKey}\n${nameOf(port)} ${hostKey.publicKey}`,
  ),
  byKnownHosts("HostKeyAlias", () => `xen1 ${hostKey.publicKey}`, "xen1"),
  byKnownHosts("HostKeyAlias that is not known", () => `xen2 ${hostKey.publicKey}`, "xen1"),
];

const PAM = ["auth required pam_unix.so", "account required pam_permit.so", "session required pam_permit.so"];
const base = { hostKeys: [hostKey.privateKey], authorizedKeys };

/** Configurations that are tried with all credentials. */
const CONFIGURATIONS: readonly (Partial<SshdOptions> & { readonly name: string })[] = [
  { name: "defaults" },
  { name: "keys only", config: ["PasswordAuthentication no"] },
  { name: "passwords only", config: ["PubkeyAuthentication no"] },
  {
    name: "keyboard-interactive only",
    usePam: true,
    pam: PAM,
    config: ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"],
  },
  {
    name: "password and keyboard-interactive",
    usePam: true,
    pam: PAM,
    config: ["KbdInteractiveAuthentication yes"],
  },
  { name: "publickey,password", config: ["AuthenticationMethods publickey,password"] },
  { name: "password,publickey", config: ["AuthenticationMethods password,publickey"] },
  { name: "publickey,publickey", config: ["AuthenticationMethods publickey,publickey"] },
  {
    name: "publickey,keyboard-interactive",
    usePam: true,
    pam: PAM,
    config: ["KbdInteractiveAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive"],
  },
  { name: "MaxAuthTries 2", config: ["MaxAuthTries 2"] },
];

const DENIED = [
  "auth required pam_unix.so",
  "account required pam_deny.so",
  "session required pam_permit.so",
];

/** Configurations that are tried with some of them. */
const SPECIAL: readonly (Partial<SshdOptions> & { readonly name: string })[] = [
  { name: "PermitRootLogin no", config: ["PermitRootLogin no"] },
  { name: "PermitRootLogin prohibit-password", config: ["PermitRootLogin prohibit-password"] },
  { name: "AllowUsers nobody", config: ["AllowUsers nobody"] },
  { name: "ForceCommand", config: ["ForceCommand /bin/false"] },
  { name: "shell nologin", shell: "/usr/sbin/nologin" },
  {
    name: "two prompts",
    usePam: true,
    pam: ["auth required pam_unix.so", ...PAM],
    config: ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"],
  },
  { name: "account denied by PAM", usePam: true, pam: DENIED },
  {
    name: "account denied by PAM, keyboard-interactive",
    usePam: true,
    pam: DENIED,
    config: ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"],
  },
  {
    name: "expired password",
    usePam: true,
    passwordSetOn: 0,
    pam: [
      ...PAM.filter((line) => !line.startsWith("account")),
      "account required pam_unix.so",
      "password required pam_unix.so",
    ],
  },
];

/** One algorithm each; the last of a kind is one that this program does not have. */
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  KexAlgorithms: [
    ...offeredAlgorithms().kex,
    "sntrup761x25519-sha512@openssh.com",
    "diffie-hellman-group14-sha1",
  ],
  Ciphers: [...offeredAlgorithms().cipher, "aes128-cbc", "3des-cbc"],
  MACs: [...offeredAlgorithms().hmac, "umac-64@openssh.com", "hmac-md5"],
  HostKeyAlgorithms: ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"],
  PubkeyAcceptedAlgorithms: ["rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519"],
};

/** OpenSSH refuses the names of key exchanges that it does not have. */
const isOfOpenSsh = (name: string) => !/group1[57]/.test(name);

function ofAlgorithms(key: Credentials): Setting[] {
  const { kex, cipher, hmac } = offeredAlgorithms();
  const ours = [
    "-o",
    `KexAlgorithms=${kex.filter(isOfOpenSsh).join(",")}`,
    "-o",
    `Ciphers=${cipher.join(",")}`,
    "-o",
    `MACs=${hmac.join(",")}`,
  ];
  return Object.entries(ALGORITHMS).flatMap(([option, names]) =>
    names.filter(isOfOpenSsh).map((name) => ({
      name: `${option} ${name}`,
      sshd: {
        hostKeys: [hostKey, rsaHostKey, ecdsaHostKey].map(({ privateKey }) => privateKey),
        authorizedKeys,
        config: [`${option} ${name}`, ...(option === "MACs" ? ["Ciphers aes128-ctr"] : [])],
      },
      credentials: [key],
      hostKeys: [pinned("pinned keys", hostKey, rsaHostKey, ecdsaHostKey)],
      options: ours,
    })),
  );
}

/** All settings without a jump host. */
export function makeSettings(credentials: readonly Credentials[]): Setting[] {
  const named = (...names: readonly string[]) => credentials.filter(({ name }) => names.includes(name));
  const common = named("right password", "wrong password", "ed25519 key", "agent");
  return [
    ...CONFIGURATIONS.map(({ name, ...sshd }) => ({
      name,
      sshd: { ...base, ...sshd },
      // After a key was accepted ssh offers all keys of the agent again, until the host has enough of it.
      credentials: credentials.filter(
        (login) => name !== "publickey,publickey" || login.name !== "agent with the good key fourth",
      ),
      hostKeys: [good],
    })),
    ...SPECIAL.map(({ name, ...sshd }) => ({
      name,
      sshd: { ...base, ...sshd },
      credentials: common,
      hostKeys: [good],
    })),
    {
      name: "three host keys",
      sshd: { ...base, hostKeys: [hostKey, rsaHostKey, ecdsaHostKey].map(({ privateKey }) => privateKey) },
      credentials: named("right password", "ed25519 key"),
      hostKeys: HOST_KEY_CHECKS,
    },
    ...ofAlgorithms(named("rsa key")[0] as Credentials),
  ];
}
