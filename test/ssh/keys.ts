import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A key pair in files. */
export interface KeyFile {
  readonly path: string;
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

const folder = mkdtempSync(join(tmpdir(), "keys-"));
let count = 0;

/** Makes a key with `ssh-keygen`. */
export function keygen(...options: readonly string[]): KeyFile {
  const path = join(folder, `key${count++}`);
  execFileSync("ssh-keygen", [
    "-q",
    "-C",
    "",
    "-f",
    path,
    ...(options.includes("-N") ? [] : ["-N", ""]),
    ...options,
  ]);
  return {
    path,
    privateKey: readFileSync(path, "utf8"),
    publicKey: readFileSync(`${path}.pub`, "utf8").trim(),
  };
}

/** Starts an `ssh-agent` that holds keys. */
export async function startAgent(
  keys: readonly KeyFile[],
  agents: ChildProcess[],
  variables: NodeJS.ProcessEnv = {},
): Promise<string> {
  const socket = join(folder, `agent${count++}`);
  const env = { ...process.env, ...variables };
  agents.push(spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore", env }));
  const options = { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: "ignore" } as const;
  // Its socket is there a moment before it listens. Status 2: no agent answers.
  while (spawnSync("ssh-add", ["-l"], options).status === 2) await sleep(20);
  for (const { path } of keys) execFileSync("ssh-add", ["-q", path], options);
  return socket;
}

/** A socket path at which an agent has listened that is gone. */
export async function staleAgent(): Promise<string> {
  const agents: ChildProcess[] = [];
  const socket = await startAgent([], agents);
  // Killed, it leaves its socket behind.
  agents[0]?.kill("SIGKILL");
  await sleep(100);
  return socket;
}
