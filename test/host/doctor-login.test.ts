import { type ChildProcess, execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { runCommandLine } from "../../provider/cli/program";
import type { Check } from "../../provider/cli/diagnosis";
import { keygen, staleAgent, startAgent } from "../ssh/keys";
import { PASSWORD, Sshd, type SshdOptions } from "../ssh/sshd";

const agents: ChildProcess[] = [];
let jump: Sshd;

const hostKey = keygen("-t", "ed25519");
const userKey = keygen("-t", "ed25519");
const otherKey = keygen("-t", "ed25519");
const folder = mkdtempSync(join(tmpdir(), "doctor-"));
const COMMON = { hostKeys: [hostKey.privateKey], authorizedKeys: [userKey.publicKey] };

beforeAll(async () => {
  jump = await Sshd.start(COMMON);
});
afterAll(async () => {
  for (const agent of agents) agent.kill();
  rmSync(folder, { recursive: true });
  await jump[Symbol.asyncDispose]();
});

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (name.startsWith("XEN_") || name === "SSH_AUTH_SOCK") vi.stubEnv(name, undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

type Variables = Readonly<Record<string, string>>;

/** A fault of a login, and how `doctor` explains it. */
interface Fault {
  readonly name: string;
  readonly sshd?: Partial<SshdOptions>;
  /** Arguments besides the address. The ports are those of the host, and of a jump host that forwards. */
  readonly args?: (ports: { readonly port: number; readonly jump: number }) => readonly string[];
  /** Variables; the right password by default. */
  readonly env?: () => Variables | Promise<Variables>;
  readonly check?: "jump host" | "sessions";
  readonly code?: string;
  /** What was found, and what to do about it. */
  readonly words: readonly RegExp[];
}

const PAM = ["auth required pam_unix.so", "account required pam_permit.so", "session required pam_permit.so"];
const EXPIRY = [
  ...PAM.filter((line) => !line.startsWith("account")),
  "account required pam_unix.so",
  "password required pam_unix.so",
];
const INTERACTIVE = ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"];
const WRONG = "hunter2-hunter2";

const agentOf = async (socket: Promise<string>) => ({ XEN_AGENT_SOCKET_PATH: await socket });
const byKey = () => ({ XEN_PRIVATE_KEY_FILE: userKey.path });
const through = (port: number) => [
  ...["--proxy-host", "127.0.0.1", "--proxy-port", String(port)],
  ...["--proxy-user", "root", "--proxy-host-key", hostKey.publicKey],
];

/** An agent that asks its user before it signs, and is told no. */
const askingAgent = () => agentThatAsks("exit 1");

/** An agent that asks its user before it signs; nobody answers until the tests of this file are done. */
const waitingAgent = () => agentThatAsks(`while [ -e '${folder}' ]; do sleep 0.2; done`);

async function agentThatAsks(question: string): Promise<string> {
  const program = join(folder, `ask-${Math.random()}`);
  writeFileSync(program, `#!/bin/sh\n${question}\n`, { mode: 0o700 });
  const socket = await startAgent([], agents, { SSH_ASKPASS: program, DISPLAY: ":0" });
  execFileSync("ssh-add", ["-q", "-c", userKey.path], {
    env: { ...process.env, SSH_AUTH_SOCK: socket },
    stdio: "ignore",
  });
  return socket;
}

/** The host's key is looked up in this file. */
function knownHosts(text: string): string[] {
  const file = join(folder, `known-${Math.random()}`);
  writeFileSync(file, `${text}\n`);
  const configuration = `${file}-config`;
  writeFileSync(configuration, `UserKnownHostsFile ${file}\nGlobalKnownHostsFile none\n`);
  return ["--ssh-config", configuration];
}

const FAULTS: readonly Fault[] = [
  {
    name: "a wrong password",
    env: () => ({ XEN_PASSWORD: WRONG }),
    code: "AUTHENTICATION_FAILED",
    words: [/tried: password/, /XEN_PASSWORD/, /By hand: `ssh -v -p \d+ root@127\.0\.0\.1`/],
  },
  {
    name: "an agent that has ended",
    env: () => agentOf(staleAgent()),
    code: "AGENT_FAILED",
    words: [/cannot be used \(Failed to connect to agent\)/, /Start the agent anew/, /ssh-add -l/],
  },
  {
    name: "an agent without a key",
    env: () => agentOf(startAgent([], agents)),
    code: "AGENT_FAILED",
    words: [/it holds no usable key/, /Add a key with `ssh-add`, unlock the agent/],
  },
  {
    name: "an agent that refuses to sign",
    env: () => agentOf(askingAgent()),
    code: "AGENT_FAILED",
    words: [/cannot be used/, /ssh-add -T/],
  },
  {
    name: "an agent that waits for its user",
    env: async () => ({ ...(await agentOf(waitingAgent())), XEN_PER_DIAL_TIMEOUT: "3" }),
    code: "AGENT_FAILED",
    words: [/has not signed within 3 s\. It may wait for its user: confirm there/, /ssh-add -T/],
  },
  {
    name: "an agent with too many keys",
    env: () =>
      agentOf(
        startAgent(
          Array.from({ length: 7 }, () => keygen("-t", "ed25519")),
          agents,
        ),
      ),
    code: "TOO_MANY_FAILURES",
    words: [/The agent holds 7 keys/, /--private-key-file/, /IdentitiesOnly yes/],
  },
  ...(
    [
      ["KexAlgorithms", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256"],
      ["Ciphers", "3des-cbc", "aes128-gcm@openssh.com"],
      ["MACs", "umac-64@openssh.com", "hmac-sha2-256"],
    ] as const
  ).map(([option, theirs, ours]) => ({
    name: `no common algorithm of ${option}`,
    sshd: { config: [`${option} ${theirs}`, ...(option === "MACs" ? ["Ciphers aes128-ctr"] : [])] },
    code: "NO_COMMON_ALGORITHM",
    words: [new RegExp(`in ${option} of.*: .*${ours}.*The host offers: .*${theirs}`), /reload sshd/],
  })),
  {
    name: "two factors and one credential",
    sshd: { config: ["AuthenticationMethods publickey,password"] },
    env: byKey,
    code: "FACTOR_MISSING",
    words: [/accepted; the host also wants: password/, /XEN_PASSWORD/],
  },
  {
    name: "an expired password",
    sshd: { usePam: true, passwordSetOn: 0, pam: EXPIRY },
    code: "NO_SHELL",
    words: [/The host said: .*password has expired/, /`passwd`/],
  },
  {
    name: "an expired password, by keyboard-interactive",
    sshd: { usePam: true, passwordSetOn: 0, pam: EXPIRY, config: INTERACTIVE },
    code: "PASSWORD_EXPIRED",
    words: [/the old one has expired/, /`passwd`/],
  },
  {
    name: "a second prompt",
    sshd: {
      usePam: true,
      // It asks for an e-mail address.
      pam: [...PAM.slice(0, 1), "auth required pam_ftp.so users=root ignore", ...PAM.slice(1)],
      config: INTERACTIVE,
    },
    code: "PROMPT_UNANSWERED",
    words: [
      /"Guest login ok.*" after the password, which cannot be answered/,
      /--private-key-file needs no prompt/,
    ],
  },
  {
    name: "a ForceCommand",
    sshd: { config: ["ForceCommand echo not for you"] },
    code: "NO_SHELL",
    words: [/runs no command/, /The host said: not for you/, /`sshd -T` a ForceCommand/],
  },
  {
    name: "a shell that only refuses",
    sshd: { shell: "/usr/sbin/nologin" },
    code: "NO_SHELL",
    words: [/runs no command/, /This account is currently not available/, /getent passwd/],
  },
  {
    name: "another host key than the one given",
    args: () => ["--host-key", otherKey.publicKey],
    code: "HOST_KEY_MISMATCH",
    words: [
      /does not match the one that was set/,
      /set --host-key to "ssh-ed25519 /,
      /No credential was sent/,
    ],
  },
  {
    name: "an unknown host key",
    args: () => knownHosts(""),
    code: "HOST_KEY_UNKNOWN",
    words: [/is not known/, /set --host-key to ".*or add this line/, /No credential was sent/],
  },
  {
    name: "another host key than in known_hosts",
    args: ({ port }) => knownHosts(`[127.0.0.1]:${port} ${otherKey.publicKey}`),
    code: "HOST_KEY_CHANGED",
    words: [/has changed: .* line 1 of/, /ssh-keygen -f/, /No credential was sent/],
  },
  {
    name: "a revoked host key",
    args: () => knownHosts(`@revoked * ${hostKey.publicKey}`),
    code: "HOST_KEY_REVOKED",
    words: [/is revoked by line 1/, /give the host a new one/, /No credential was sent/],
  },
  {
    name: "nothing that listens",
    args: () => ["--port", "1"],
    code: "CONNECTION_REFUSED",
    words: [/Nothing listens for SSH/, /xe host-enable-ssh/],
  },
  {
    name: "a silent jump host",
    args: () => through(1),
    env: () => ({ XEN_PASSWORD: PASSWORD, XEN_PROXY_PASSWORD: PASSWORD }),
    check: "jump host",
    code: "JUMP_HOST_UNREACHABLE",
    words: [/Jump host: Nothing listens/, /The host behind it may be well/],
  },
  {
    name: "a silent host behind a jump host",
    args: ({ jump }) => ["--port", "1", ...through(jump)],
    env: () => ({ XEN_PASSWORD: PASSWORD, XEN_PROXY_PASSWORD: PASSWORD }),
    code: "UNREACHABLE",
    words: [/The jump host \S+ cannot reach 127\.0\.0\.1:1/],
  },
  {
    name: "a jump host that forwards nothing",
    sshd: { config: ["AllowTcpForwarding no"] },
    args: ({ port }) => ["--port", "1", ...through(port)],
    env: () => ({ XEN_PASSWORD: PASSWORD, XEN_PROXY_PASSWORD: PASSWORD }),
    check: "jump host",
    code: "FORWARDING_REFUSED",
    words: [/does not forward connections/, /AllowTcpForwarding yes/],
  },
  {
    name: "a wrong password for the jump host",
    args: ({ jump }) => through(jump),
    env: () => ({ XEN_PASSWORD: PASSWORD, XEN_PROXY_PASSWORD: WRONG }),
    check: "jump host",
    code: "AUTHENTICATION_FAILED",
    words: [/Jump host: .*tried: password/, /XEN_PROXY_PASSWORD/, /--proxy-private-key-file/],
  },
  {
    name: "MaxSessions 0",
    sshd: { config: ["MaxSessions 0"] },
    code: "CHANNEL_REFUSED",
    words: [/refused to start a command/, /Set `MaxSessions 10`/],
  },
  {
    name: "MaxSessions 1",
    sshd: { config: ["MaxSessions 1"] },
    check: "sessions",
    words: [/1 command at once/, /Set `MaxSessions 10`/],
  },
];

test.each(FAULTS)("explains $name", async ({ sshd: options, args, env, check = "login", code, words }) => {
  await using sshd = await Sshd.start({ ...COMMON, ...options });
  for (const [name, value] of Object.entries(await (env?.() ?? { XEN_PASSWORD: PASSWORD })))
    vi.stubEnv(name, value);
  const { port } = sshd;
  const more = args?.({ port, jump: jump.port }) ?? [];
  const address = ["--host", "127.0.0.1", "--port", String(port), "--dial-error-limit", "1"];
  const isKeySet = more.includes("--ssh-config") || more.includes("--host-key");
  const pinned = isKeySet ? [] : ["--host-key", hostKey.publicKey];
  const text = await outputOf("doctor", ...address, ...pinned, ...more);
  expect(text).toMatch(new RegExp(`^(failed|warning) +${check} `, "m"));
  for (const each of words) expect(text).toMatch(each);
  for (const secret of [PASSWORD, WRONG, userKey.privateKey.split("\n")[2] ?? ""])
    expect(text).not.toContain(secret);
  expect(text).not.toMatch(/pulumi |connection\.|privateKey|agentSocketPath/);

  const json = await outputOf("doctor", "--json", ...address, ...pinned, ...more);
  const { checks } = JSON.parse(json) as { checks: readonly Check[] };
  const found = checks.find(({ name }) => name === check);
  expect(found).toMatchObject({ status: code ? "failed" : "warning", ...(code && { code }) });
  for (const each of words) expect(`${found?.detail} ${found?.advice}`).toMatch(each);
});

test.each([
  ["HTTP/1.1 400 Bad Request\r\n\r\n", "NOT_SSH", /says "HTTP.*Give the port of sshd with --port/s],
  ["", "LOGIN_INTERRUPTED", /does not answer as an SSH server.*MaxStartups/s],
])("explains a server that says %j", async (words, code, message) => {
  vi.stubEnv("XEN_PASSWORD", PASSWORD);
  const server = createServer((socket) => socket.on("error", () => undefined).end(words));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const address = ["--host", "127.0.0.1", "--port", String(port), "--host-key", hostKey.publicKey];
  const json = await outputOf("doctor", "--json", "--dial-error-limit", "1", ...address);
  server.close();
  const { checks } = JSON.parse(json) as { checks: readonly Check[] };
  expect(checks).toMatchObject([{ name: "login", status: "failed", code }]);
  expect(`${checks[0]?.detail} ${checks[0]?.advice}`).toMatch(message);
});

/** What a command line prints. */
async function outputOf(...args: string[]): Promise<string> {
  let output = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    output += String(chunk);
    return true;
  });
  await runCommandLine(args);
  write.mockRestore();
  return output;
}
