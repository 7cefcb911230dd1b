import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";
import type { SimulatedHost } from "../simulator";

const repository = resolve(__dirname, "../..");

/** What Node.js is given to run it: the sources, or what was built from them when coverage is taken. */
export const SCRIPT = process.env["COVERAGE_OF"]
  ? [resolve(process.env["COVERAGE_OF"], "cli/main.js")]
  : ["--import", "tsx", "provider/cli/main.ts"];

/** How a command line ended. */
export interface CommandLineResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a process of the command line is given besides its arguments. */
export interface CommandLineOptions {
  /** On its standard input; nothing by default. */
  readonly input?: string;
  /** Variables over those of this process; the host's password is among them unless it is overridden. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs `pulumi-xen-iso` against a simulated host, as a process of its own. */
export function runCommandLine(
  host: SimulatedHost,
  args: readonly string[],
  { input = "", env = {} }: CommandLineOptions = {},
): Promise<CommandLineResult> {
  return run(commandLineOf(host, args), environmentOf(host, env), input);
}

/** Runs it against any host. */
export function spawnCommandLine(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<CommandLineResult> {
  return run([process.execPath, ...SCRIPT, ...args], { ...ownEnvironment(), ...env }, "");
}

async function run(
  [program = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  input: string,
): Promise<CommandLineResult> {
  const child = spawn(program, args, { cwd: repository, env, stdio: "pipe" });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const closed = once(child, "close") as Promise<[number | null]>;
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { status, stdout, stderr };
}

/** The words that run it. */
export function commandLineOf({ connection }: SimulatedHost, args: readonly string[]): string[] {
  const { host, port, hostKey } = connection;
  const [command = "", ...rest] = args;
  // Those of the test come last, so that they count; keys would be added to each other.
  const key = rest.includes("--host-key") ? [] : ["--host-key", hostKey];
  const address = ["--host", host, "--port", String(port), ...key];
  return [process.execPath, ...SCRIPT, command, ...address, ...rest];
}

/** The environment it runs in. */
export function environmentOf({ connection }: SimulatedHost, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...ownEnvironment(), XEN_PASSWORD: connection.password, ...env };
}

/** No agent and no `XEN_…` of the user's. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const isForeign = (name: string) => name.startsWith("XEN_") || name === "SSH_AUTH_SOCK";
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name)));
}
