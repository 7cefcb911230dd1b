import type { ChildProcess } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encrypted, hostKey, right, wrong } from "./cases";
import { startAgent } from "./keys";
import type { Sshd } from "./sshd";

/** A configuration that both clients read, and the alias that they are given. */
export interface ConfigCase {
  readonly name: string;
  readonly file: string;
  readonly host: string;
}

/** The instances of sshd to which the configurations lead. */
export interface Hosts {
  readonly target: Sshd;
  readonly jump: Sshd;
  /** Forwards nothing. */
  readonly closed: Sshd;
}

/** Writes a configuration for each case. */
export async function makeConfigCases(
  { target, jump, closed }: Hosts,
  agents: ChildProcess[],
): Promise<ConfigCase[]> {
  const folder = mkdtempSync(join(tmpdir(), "configs-"));
  let count = 0;
  const fileOf = (text: string) => {
    const path = join(folder, String(count++));
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  const ports = [target, jump, closed].map(({ port }) => port);
  writeFileSync(join(folder, "xen1"), right.privateKey, { mode: 0o600 });
  const known = fileOf(ports.map((port) => `[127.0.0.1]:${port} ${hostKey.publicKey}`).join("\n"));
  const empty = fileOf("");
  const aliased = fileOf(`xen1-key ${hostKey.publicKey}`);
  const good = await startAgent([right], agents);
  const last = await startAgent([...wrong, right], agents);
  const bad = await startAgent(wrong, agents);

  const to = ({ port }: Sshd) => `HostName 127.0.0.1\nPort ${port}\nUser root\n`;
  const KEY = `IdentityFile ${right.path}\n`;
  const WRONG = wrong.map(({ path }) => `IdentityFile ${path}\n`);
  const agent = (socket: string) => `IdentityAgent ${socket}\n`;
  /** The first value of an option counts: these come after what the case says. */
  const REST = `\nHost *\nUserKnownHostsFile ${known}\nGlobalKnownHostsFile none\nIdentityAgent none\nStrictHostKeyChecking yes\nPreferredAuthentications publickey\n`;
  const jumps = `Host jump\n${to(jump)}${KEY}Host closed\n${to(closed)}${KEY}`;
  const own = `Host xen1\n${to(target)}`;

  const texts: Readonly<Record<string, string>> = {
    "an alias": own + KEY,
    "another user": `Host xen1\nUser nobody-here\n${to(target)}${KEY}`,
    "a wrong port": `Host xen1\nPort 1\n${to(target)}${KEY}`,
    "a wrong key": own + (WRONG[0] ?? ""),
    "a key file that is missing": `${own}IdentityFile ${folder}/none\n`,
    "a missing and a right key": `${own}IdentityFile ${folder}/none\n${KEY}`,
    "the right key third": own + WRONG.slice(0, 2).join("") + KEY,
    "seven wrong keys before the right one": own + WRONG.join("") + KEY,
    "an encrypted key": `${own}IdentityFile ${encrypted.path}\n`,
    "a key named by a token": `${own}IdentityFile ${folder}/%n\n`,
    "an agent": own + agent(good) + "IdentityFile none\n",
    "an agent with seven wrong keys first": own + agent(last) + "IdentityFile none\n",
    "a key of the agent that a file names": own + agent(last) + KEY,
    "a key of the agent whose public key a file has": `${own}${agent(last)}IdentityFile ${right.path}.pub\n`,
    "seven wrong keys in the agent before a file": own + agent(bad) + KEY,
    "IdentitiesOnly with seven wrong keys in the agent": `${own}${agent(bad)}IdentitiesOnly yes\n${KEY}`,
    "IdentitiesOnly without the right key": `${own}${agent(good)}IdentitiesOnly yes\n${WRONG[0] ?? ""}`,
    Include: `Include ${fileOf(own + KEY)}\n`,
    "Include of a block that does not match": `Include ${fileOf("Host other\nPort 1\n")}\n${own}${KEY}`,
    "Match host": `Match host xen*\n${to(target)}${KEY}`,
    "Match host that does not match": `Match host other\n${to(target)}${KEY}\nHost xen1\nHostName 127.0.0.1\nPort 1\n`,
    "Match exec": `Match host xen1 exec "test %n = xen1"\n${to(target)}${KEY}`,
    "Host with a negation": `Host xen* !xen1\nPort 1\n${own}${KEY}`,
    HostKeyAlias: `${own}${KEY}HostKeyAlias xen1-key\nUserKnownHostsFile ${aliased}\n`,
    "HostKeyAlias that is not known": `${own}${KEY}HostKeyAlias xen2-key\nUserKnownHostsFile ${aliased}\n`,
    "an empty UserKnownHostsFile": `${own}${KEY}UserKnownHostsFile ${empty}\n`,
    "two files of known hosts": `${own}${KEY}UserKnownHostsFile ${empty} ${known}\n`,
    ProxyJump: `${own}${KEY}ProxyJump jump\n${jumps}`,
    "ProxyJump over two hosts": `${own}${KEY}ProxyJump jump,second\n${jumps}Host second\n${to(jump)}${KEY}`,
    "ProxyJump of the jump host": `${own}${KEY}ProxyJump second\n${jumps}Host second\nProxyJump jump\n${to(jump)}${KEY}`,
    "ProxyJump that does not forward": `${own}${KEY}ProxyJump closed\n${jumps}`,
    "ProxyJump none": `${own}${KEY}ProxyJump none\n${jumps}`,
  };
  return Object.entries(texts).map(([name, text]) => ({ name, host: "xen1", file: fileOf(text + REST) }));
}
