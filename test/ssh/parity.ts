/**
 * Compares this package with OpenSSH's own client over real sshd instances: for each case both log in, or neither
 * does and both for the same kind of reason. A refused login makes one connection, sends a password once, offers each key
 * once, and takes no more than 2 s longer.
 *
 * Prints a line for each case, and `agree: N of N`. What only `ssh` can do is listed apart, with the message that
 * this package has for it.
 */
import { type ChildProcess } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toSshTarget } from "../../provider/lifecycle/ssh-target";
import { SshError } from "../../provider/ssh/error";
import type { SshTarget } from "../../provider/ssh/target";
import {
  authorizedKeys,
  type Credentials,
  good,
  hostKey,
  type HostKeyCheck,
  makeCredentials,
  makeSettings,
  type Setting,
} from "./cases";
import { logInHere, logInThere, type Result, type SshOptions } from "./clients";
import { makeConfigCases } from "./config-cases";
import { makeLesserCases } from "./lesser-cases";
import { Sshd } from "./sshd";

const HOST = "127.0.0.1";
const COMMON = [
  "-F",
  "none",
  "-o",
  "NumberOfPasswordPrompts=1",
  "-o",
  "ConnectTimeout=10",
  "-o",
  "UpdateHostKeys=no",
];
const LANES = 3;
const SLOWER_MS = 2_000;

interface Case {
  readonly title: string;
  readonly target: SshTarget;
  readonly ssh: SshOptions;
  /** The sshd in which the login ends. */
  readonly sshd?: Sshd;
}

interface Verdict {
  readonly title: string;
  readonly here: Result;
  readonly there: Result;
  /** What is wrong, if anything. */
  readonly faults: readonly string[];
}

const verdicts: Verdict[] = [];
const lesser = { named: 0, total: 0 };
let count = 0;

async function main(): Promise<void> {
  const filter = new RegExp(process.argv[2] ?? "");
  const agents: ChildProcess[] = [];
  // Defaults of this program's user must not log in.
  delete process.env["SSH_AUTH_SOCK"];
  try {
    const credentials = await makeCredentials(agents);
    const settings = makeSettings(credentials).filter(({ name }) => filter.test(name));
    await Promise.all(
      Array.from({ length: LANES }, async () => {
        for (let setting = settings.shift(); setting; setting = settings.shift()) await tryAll(setting);
      }),
    );
    if (filter.test("jump host")) await tryRoutes(credentials);
    if (filter.test("configuration")) await tryConfigurations(agents);
    if (filter.test("ssh only")) await tryLesser(agents);
  } finally {
    for (const agent of agents) agent.kill();
  }
  console.log(`ssh only: ${lesser.named} of ${lesser.total} with a message of their own`);
  const agreeing = verdicts.filter(({ faults }) => faults.length === 0).length;
  console.log(`agree: ${agreeing} of ${verdicts.length}`);
  const isWhole = agreeing === verdicts.length && lesser.named === lesser.total;
  if (!isWhole || verdicts.length + lesser.total === 0) process.exitCode = 1;
}

async function tryAll({
  name,
  sshd: options,
  credentials,
  hostKeys,
  options: more = [],
}: Setting): Promise<void> {
  await using sshd = await Sshd.start(options);
  for (const login of credentials)
    for (const check of hostKeys)
      await tryCase({
        title: `${name} | ${login.name} | ${check.name} | direct`,
        sshd,
        ...both(sshd.port, login, check, more),
      });
}

function both(
  port: number,
  login: Credentials,
  check: HostKeyCheck,
  more: readonly string[] = [],
): Pick<Case, "target" | "ssh"> {
  return {
    target: {
      host: HOST,
      port,
      user: "root",
      dialErrorLimit: 3,
      // Told from every other, so that each case has a connection of its own.
      perDialTimeout: 15 + count++ / 1_000,
      ...check.target(port),
      ...login.target,
    },
    ssh: {
      host: HOST,
      port,
      options: [...COMMON, ...check.options(port), ...login.options, ...more],
      ...(login.password !== undefined && { password: login.password }),
    },
  };
}

/** Through a jump host, and at addresses where nothing is. */
async function tryRoutes(credentials: readonly Credentials[]): Promise<void> {
  const named = (wanted: string) => credentials.find(({ name }) => name === wanted) as Credentials;
  const key = named("ed25519 key");
  const options = { hostKeys: [hostKey.privateKey], authorizedKeys };
  await using target = await Sshd.start(options);
  await using jump = await Sshd.start(options);
  await using closed = await Sshd.start({ ...options, config: ["AllowTcpForwarding no"] });
  await using strict = await Sshd.start({ ...options, config: ["PermitOpen 127.0.0.1:1"] });

  const route = (title: string, from: number, to: number, login: Credentials, at = key) => {
    const direct = both(to, login, good);
    const first = both(from, at, good);
    const jumpCommand = ["ssh", "-p", String(from), ...first.ssh.options, "-W", "%h:%p", `root@${HOST}`];
    return tryCase({
      title: `${title} | ${login.name} | pinned key | jump host, ${at.name}`,
      target: { ...direct.target, proxy: { ...first.target, dialErrorLimit: 3 }, dialErrorLimit: 2 },
      ssh: { ...direct.ssh, options: [...direct.ssh.options, "-o", `ProxyCommand=${jumpCommand.join(" ")}`] },
      ...(to === target.port && { sshd: target }),
    });
  };
  for (const login of [
    "ed25519 key",
    "rsa key",
    "wrong key",
    "agent",
    "right password",
    "wrong password",
  ].map(named))
    await route("defaults", jump.port, target.port, login);
  await route("defaults", jump.port, target.port, key, named("agent"));
  await route("AllowTcpForwarding no", closed.port, target.port, key);
  await route("PermitOpen elsewhere", strict.port, target.port, key);
  await route("nothing behind the jump host", jump.port, 1, key);
  await tryCase({ title: "nothing listens | ed25519 key | pinned key | direct", ...both(1, key, good) });
}

/** Both clients read the same configuration of OpenSSH. */
async function tryConfigurations(agents: ChildProcess[]): Promise<void> {
  const options = { hostKeys: [hostKey.privateKey], authorizedKeys };
  await using target = await Sshd.start(options);
  await using jump = await Sshd.start(options);
  await using closed = await Sshd.start({ ...options, config: ["AllowTcpForwarding no"] });
  for (const { name, file, host } of await makeConfigCases({ target, jump, closed }, agents)) {
    const limits = { dialErrorLimit: 2, perDialTimeout: 15 + count++ / 1_000 };
    await tryCase({
      title: `configuration | ${name}`,
      target: await toSshTarget({ host, sshConfig: file, ...limits }),
      ssh: { host, options: ["-F", file, ...COMMON.slice(2)] },
      sshd: target,
    });
  }
}

/** `ssh` logs in, and this package says why it cannot. */
async function tryLesser(agents: ChildProcess[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lesser-"));
  for (const { name, sshd: options, configuration, message } of await makeLesserCases(agents)) {
    await using sshd = await Sshd.start(options);
    const file = join(folder, String(lesser.total++));
    writeFileSync(file, configuration(sshd.port), { mode: 0o600 });
    const there = await logInThere({ host: "xen1", options: ["-F", file, ...COMMON.slice(2)] });
    const words = await toSshTarget({ host: "xen1", sshConfig: file, dialErrorLimit: 1 })
      .then(logInHere)
      .then(
        (here) => here.words,
        (error: unknown) => (error instanceof SshError ? error.message : Promise.reject(error as Error)),
      );
    const isNamed = there.outcome === "in" && message.test(words);
    if (isNamed) lesser.named++;
    console.log(`${isNamed ? "less  " : "DIFFER"}  ssh only | ${name}: ${words}`);
    if (there.outcome !== "in") console.log(`        ssh:  ${there.outcome} ${there.words}`);
  }
}

async function tryCase({ title, target, ssh, sshd }: Case): Promise<void> {
  await sshd?.reset();
  const there = await logInThere(ssh);
  await sshd?.reset();
  const here = await logInHere(target);
  await sshd?.settle();
  const isRefused = here.outcome !== "in";
  const faults = [
    ...(here.outcome === there.outcome ? [] : ["they differ"]),
    ...(isRefused && sshd && sshd.connections > 1 ? [`${sshd.connections} connections`] : []),
    ...(isRefused && sshd && sshd.repeatedKeys > 0 ? [`${sshd.repeatedKeys} keys offered again`] : []),
    ...(isRefused && sshd && sshd.failedPasswords > 1 ? [`${sshd.failedPasswords} passwords sent`] : []),
    ...(isRefused && sshd && here.durationMs > there.durationMs + SLOWER_MS ? ["slower than ssh"] : []),
  ];
  verdicts.push({ title, here, there, faults });
  const times = `${(here.durationMs / 1_000).toFixed(1)} s, ssh ${(there.durationMs / 1_000).toFixed(1)} s`;
  console.log(`${faults.length === 0 ? "agree " : "DIFFER"}  ${title}: ${here.outcome} (${times})`);
  if (faults.length > 0)
    console.log(
      `        ${faults.join(", ")}\n        here: ${here.outcome} ${here.words}\n        ssh:  ${there.outcome} ${there.words}`,
    );
}

void main();
