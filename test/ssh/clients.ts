import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SshError, type SshErrorCode } from "../../provider/ssh/error";
import { sh } from "../../provider/ssh/sh";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import type { SshTarget } from "../../provider/ssh/target";

/** How a login ended: "in", or the kind of reason why not. */
export type Outcome =
  | "in"
  | "refused"
  | "ended"
  | "too many failures"
  | "host key"
  | "no common algorithm"
  | "no connection"
  | "no forwarding"
  | "jump host"
  | "no shell";

export interface Result {
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** What the client said. */
  readonly words: string;
}

const KINDS: Readonly<Partial<Record<SshErrorCode, Outcome>>> = {
  AUTHENTICATION_FAILED: "refused",
  FACTOR_MISSING: "refused",
  AGENT_FAILED: "refused",
  PASSWORD_EXPIRED: "refused",
  PROMPT_UNANSWERED: "refused",
  LOGIN_ENDED: "ended",
  TOO_MANY_FAILURES: "too many failures",
  HOST_KEY_UNKNOWN: "host key",
  HOST_KEY_CHANGED: "host key",
  HOST_KEY_REVOKED: "host key",
  HOST_KEY_MISMATCH: "host key",
  NO_COMMON_ALGORITHM: "no common algorithm",
  UNREACHABLE: "no connection",
  CONNECTION_REFUSED: "no connection",
  FORWARDING_REFUSED: "no forwarding",
  JUMP_HOST_UNREACHABLE: "jump host",
  NO_SHELL: "no shell",
};

/** Logs in with this package and runs `true`. */
export async function logInHere(target: SshTarget): Promise<Result> {
  const startedAt = performance.now();
  const end = (outcome: Outcome, words: string) => ({
    outcome,
    words,
    durationMs: performance.now() - startedAt,
  });
  try {
    await SharedConnection.to(target).exec(sh`true`, { purpose: "run true", timeoutMs: 20_000 });
    return end("in", "");
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    const kind = KINDS[error.code];
    if (!kind) throw error;
    return end(kind, `${error.code}: ${error.message}`);
  }
}

/** What `ssh` is given. */
export interface SshOptions {
  readonly host: string;
  /** Left to the configuration, with the user, if undefined. */
  readonly port?: number;
  readonly options: readonly string[];
  /** Typed at each prompt. */
  readonly password?: string;
}

const folder = mkdtempSync(join(tmpdir(), "askpass-"));
const ASKPASS = join(folder, "askpass");
writeFileSync(ASKPASS, '#!/bin/sh\nprintf "%s\\n" "$TYPED"\n', { mode: 0o700 });

/** Logs in with OpenSSH's client and runs `true`. */
export async function logInThere({ host, port, options, password }: SshOptions): Promise<Result> {
  const startedAt = performance.now();
  const login = port === undefined ? [] : ["-p", String(port), "-l", "root"];
  const args = [...login, ...options, host, "true"];
  const { status, words } = await run("ssh", args, {
    SSH_ASKPASS: ASKPASS,
    SSH_ASKPASS_REQUIRE: password === undefined ? "never" : "force",
    TYPED: password ?? "",
  });
  return { outcome: outcomeOf(status, words), words, durationMs: performance.now() - startedAt };
}

function run(command: string, args: readonly string[], more: NodeJS.ProcessEnv) {
  const { SSH_AUTH_SOCK: _, ...env } = process.env;
  return new Promise<{ status: number | null; words: string }>((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...env, ...more },
      timeout: 60_000,
    });
    let words = "";
    child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
    child.stdout.on("data", (chunk: Buffer) => (words += chunk.toString()));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, words: words.trim() }));
  });
}

function outcomeOf(status: number | null, words: string): Outcome {
  if (status === 0) return "in";
  const kinds: readonly (readonly [RegExp, Outcome])[] = [
    [/administratively prohibited/, "no forwarding"],
    [/stdio forwarding failed/, "no connection"],
    [/Too many authentication failures/, "too many failures"],
    [/Permission denied/, "refused"],
    [/Host key verification failed|HOST IDENTIFICATION HAS CHANGED|revoked/i, "host key"],
    [/no matching (key exchange|host key|cipher|MAC)/, "no common algorithm"],
    [/connect to host \S+ port \d+: .*\n.*(UNKNOWN|closed by remote)/, "jump host"],
    [/connect to host \S+ port \d+:/, "no connection"],
    [/Connection closed by \S+ port \d+/, "ended"],
  ];
  const found = kinds.find(([pattern]) => pattern.test(words));
  if (found) return found[1];
  if (status !== 255) return "no shell";
  throw new Error(`ssh ended in a way that is not known: ${words}`);
}
