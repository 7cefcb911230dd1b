import { spawn, type ChildProcess } from "node:child_process";

/** Where and how a command runs. */
export interface CommandOptions {
  readonly cwd: string;
  /** Its whole environment. */
  readonly env: NodeJS.ProcessEnv;
}

/** How a command ended. */
export interface CommandResult {
  /** Exit status, or the signal that ended it. */
  readonly status: number | NodeJS.Signals;
  /** What it wrote to its standard output. */
  readonly stdout: string;
  /** What it wrote to standard output and standard error, in the order of arrival. */
  readonly output: string;
}

/** A command that failed, or succeeded where it should have failed. */
export class CommandError extends Error {
  override readonly name = "CommandError";

  constructor(
    readonly command: string,
    readonly status: CommandResult["status"],
    readonly output: string,
  ) {
    super(`\`${command}\` ended with ${status}:\n${output.trim()}`);
  }
}

/** A command under way, started without a shell and with nothing on its standard input. */
export class RunningCommand {
  /** Settles when the command has ended and its output is read; rejects only if it could not be started. */
  readonly done: Promise<CommandResult>;

  readonly #child: ChildProcess;
  readonly #onOutput: (() => void)[] = [];
  #stdout = "";
  #output = "";

  constructor(file: string, args: readonly string[], { cwd, env }: CommandOptions) {
    // Detached: with a process group of its own, which a test can send a signal to as a terminal does.
    this.#child = spawn(file, args, { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
      this.#add(text);
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#add(text);
    });
    this.done = this.#end();
  }

  /** Process id, which is the id of its process group too. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Standard output and standard error so far, in the order of arrival. */
  get output(): string {
    return this.#output;
  }

  /** Sends `signal` to the command's process alone; nothing happens if it has ended. */
  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends `signal` to every process of the command's group, as a terminal's ^C does. */
  killGroup(signal: NodeJS.Signals): void {
    if (this.pid === undefined) return;
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /**
   * Waits until the output so far matches `pattern`.
   *
   * @throws {@link CommandError} if the command ends before
   */
  async waitFor(pattern: RegExp): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (pattern.test(this.#output)) resolve();
      };
      this.#onOutput.push(look);
      look();
      this.done.then(({ status, output }) => {
        reject(new CommandError(this.#child.spawnargs.join(" "), status, output));
      }, reject);
    });
  }

  #add(text: string): void {
    this.#output += text;
    for (const look of this.#onOutput) look();
  }

  async #end(): Promise<CommandResult> {
    const status = await new Promise<CommandResult["status"]>((resolve, reject) => {
      this.#child.on("error", reject);
      this.#child.on("close", (code, signal) => {
        resolve(code ?? signal ?? "SIGKILL");
      });
    });
    return { status, stdout: this.#stdout, output: this.#output };
  }
}
