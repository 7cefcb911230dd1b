import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import type { Check } from "../../provider/cli/diagnosis";
import { type CommandLineResult, spawnCommandLine } from "./command-line";
import { keygen } from "../ssh/keys";
import { PASSWORD, Sshd } from "../ssh/sshd";

const STUB = resolve(__dirname, "../ssh/fips.mjs");

const ed25519 = keygen("-t", "ed25519");
const rsa = keygen("-t", "rsa", "-b", "2048");
const pkcs8 = { path: `${ed25519.path}.pem` };
execFileSync("openssl", ["genpkey", "-algorithm", "ed25519", "-out", pkcs8.path]);

/** Runs `doctor` where Node.js has only the algorithms of FIPS mode. */
function examine(sshd: Sshd, env: NodeJS.ProcessEnv): Promise<CommandLineResult> {
  const address = ["--host", "127.0.0.1", "--port", String(sshd.port), "--host-key", rsa.publicKey];
  const variables = { NODE_OPTIONS: `--import ${STUB}`, ...env };
  return spawnCommandLine(["doctor", "--json", ...address], variables);
}

/** What it says of the login. */
function loginIn({ stdout, stderr }: CommandLineResult): Check {
  expect(stderr).toBe("");
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  return checks[0] as Check;
}

const start = (...config: readonly string[]) =>
  Sshd.start({
    hostKeys: [ed25519.privateKey, rsa.privateKey],
    authorizedKeys: [ed25519.publicKey, rsa.publicKey],
    config,
  });

test.each<[string, NodeJS.ProcessEnv]>([
  ["a password", { XEN_PASSWORD: PASSWORD }],
  ["an RSA key", { XEN_PRIVATE_KEY_FILE: rsa.path }],
])("in FIPS mode %s logs in", async (_title, env) => {
  await using sshd = await start();
  expect(loginIn(await examine(sshd, env))).toMatchObject({ name: "login", status: "ok" });
});

test.each([
  ["Ciphers chacha20-poly1305@openssh.com", "NO_COMMON_ALGORITHM", /Ciphers .*aes128-gcm/],
  ["KexAlgorithms curve25519-sha256", "NO_COMMON_ALGORITHM", /KexAlgorithms .*ecdh-sha2-nistp256/],
  ["HostKeyAlgorithms ssh-ed25519", "NO_COMMON_ALGORITHM", /HostKeyAlgorithms .*rsa-sha2-512/],
])("in FIPS mode a host with %s is refused with what both have", async (config, code, message) => {
  await using sshd = await start(config);
  const login = loginIn(await examine(sshd, { XEN_PASSWORD: PASSWORD }));
  expect(login).toMatchObject({ status: "failed", code });
  expect(login.detail).toMatch(message);
});

test.each([
  ["OpenSSH", ed25519],
  ["PKCS#8", pkcs8],
])("in FIPS mode an Ed25519 key in %s form is refused before anything is sent", async (_form, { path }) => {
  await using sshd = await start();
  const { status, stderr } = await examine(sshd, { XEN_PRIVATE_KEY_FILE: path });
  expect(stderr).toMatch(/^--private-key-file: .*FIPS mode; use a key of type rsa or ecdsa/);
  expect(status).toBe(2);
  expect(sshd.connections).toBe(0);
});
