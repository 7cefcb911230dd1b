import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { privateKeyProblem } from "../../provider/ssh/authentication";
import { type Options, UsageError } from "./options";

/** Whether somebody is there to be asked. */
const isInteractive = () => process.stdin.isTTY && process.stderr.isTTY;

/** Tells what goes on; standard output is for the report alone. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/**
 * Asks whether to go on.
 *
 * @throws {@link UsageError} when nobody can be asked
 */
export async function confirm(question: string): Promise<boolean> {
  if (!isInteractive()) throw new UsageError("There is no terminal to ask on; give --yes to begin.");
  return /^y(es)?$/i.test((await ask(`${question} [y/N] `)).trim());
}

/** Asks for the passwords that are needed to log in and not in the environment. */
export async function completeCredentials(options: Options): Promise<Options> {
  if (!isInteractive()) return options;
  const { connection } = options;
  const { privateKey, privateKeyPassword, password } = connection;
  if (privateKey !== undefined) {
    if (privateKeyPassword !== undefined || privateKeyProblem(privateKey) === undefined) return options;
    const answer = await askSecret("Password of the private key: ");
    return { ...options, connection: { ...connection, privateKeyPassword: answer } };
  }
  if (password !== undefined || connection.agentSocketPath !== undefined) return options;
  const orAgent = process.env["SSH_AUTH_SOCK"] === undefined ? "" : " (empty: log in with the SSH agent)";
  const answer = await askSecret(`Password of ${connection.user ?? "root"}@${connection.host}${orAgent}: `);
  return answer === "" ? options : { ...options, connection: { ...connection, password: answer } };
}

async function askSecret(question: string): Promise<string> {
  process.stderr.write(question);
  const answer = await ask("", new Writable({ write: (_chunk, _encoding, done) => done() }));
  process.stderr.write("\n");
  return answer;
}

async function ask(question: string, output: NodeJS.WritableStream = process.stderr): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  const closed = once(terminal, "close").then(() => {
    throw new UsageError("Nothing was answered, and nothing done.");
  });
  try {
    return await Promise.race([terminal.question(question), closed]);
  } finally {
    terminal.close();
  }
}
