import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { ConnectionInputs } from "../lifecycle/connection";
import { hasLogin, toSshTarget } from "../lifecycle/ssh-target";
import { loadPrivateKey } from "../ssh/private-key";
import { UsageError } from "./exit";

/** Whether there is a terminal to ask on. */
const isInteractive = () => process.stdin.isTTY && process.stderr.isTTY;

/** Writes to stderr: stdout is for results only. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Asks whether to go on.
 *
 * @throws {@link UsageError} when nobody can be asked
 */
export async function confirm(question: string): Promise<boolean> {
  if (!isInteractive()) throw new UsageError("There is no terminal to ask on; add --yes.");
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
}

/** Asks for the passwords that are needed to log in and missing, those of the jump host first. */
export async function completeCredentials<T extends ConnectionInputs>(connection: T): Promise<T> {
  if (!isInteractive()) return connection;
  const { privateKey, privateKeyPassword, password, agentSocketPath } = connection;
  const proxy = connection.proxy && (await completeCredentials(connection.proxy));
  const complete = proxy ? { ...connection, proxy } : connection;
  const target = await toSshTarget(connection);
  const login = `${target.user}@${target.host}`;
  if (privateKey !== undefined) {
    if (privateKeyPassword !== undefined || "key" in loadPrivateKey(privateKey)) return complete;
    return {
      ...complete,
      privateKeyPassword: await askSecret(`Passphrase of the private key for ${login}: `),
    };
  }
  if (password !== undefined || agentSocketPath !== undefined) return complete;
  const orKey = hasLogin(target) ? " (empty: log in with the SSH agent or a key in a file)" : "";
  const answer = await askSecret(`Password for ${login}${orKey}: `);
  return answer === "" ? complete : { ...complete, password: answer };
}

/** Turns the echo off before it asks: the answer may already be typed. */
async function askSecret(question: string): Promise<string> {
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await ask("", silence, () => process.stderr.write(question));
  process.stderr.write("\n");
  return answer;
}

async function ask(
  question: string,
  output: NodeJS.WritableStream = process.stderr,
  onReady: () => void = () => undefined,
): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  const closed = once(terminal, "close").then(() => {
    throw new UsageError("No answer; nothing was changed.");
  });
  try {
    onReady();
    return await Promise.race([terminal.question(question), closed]);
  } finally {
    terminal.close();
  }
}
