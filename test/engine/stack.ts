import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { CommandError, RunningCommand, type CommandResult } from "./command";
import type { Engine } from "./engine-folder";

/** What may be said about one command. */
export interface StackOptions {
  /** More arguments of the CLI. */
  readonly args?: readonly string[];
  /** Variables over those of the stack, for this command alone. */
  readonly env?: Readonly<Record<string, string>>;
  /** The command has to fail: a success is the error then. */
  readonly expectFailure?: boolean;
}

/** How one value of the stack's configuration is set. */
export interface ConfigOptions {
  /** Encrypted in the file and in the state. */
  readonly secret?: boolean;
  /** The key is a path (`xen:proxy.host`). */
  readonly path?: boolean;
}

type ConfigValues = Readonly<Record<string, string | number>>;

/** One resource in the state. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly initErrors?: readonly string[];
}

/** The state as `pulumi stack export` prints it. */
export interface StackState {
  readonly version: number;
  readonly deployment: {
    readonly resources?: readonly StateResource[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: StateResource }[];
  };
}

type Operation = "up" | "preview" | "refresh" | "destroy";

/**
 * One stack, driven by the real CLI with state, settings and home folder in a temporary folder of its own.
 * The end of its scope removes that folder; it destroys no resource.
 *
 * ```ts
 * await using project = await makeProject({ "index.js": program });
 * await using stack = await Stack.create(await findEngine(), project.folder);
 * await stack.up();
 * ```
 */
export class Stack implements AsyncDisposable {
  /** The home folder of every command: what `~` is to the provider (`known_hosts`). */
  readonly home: string;

  /** The environment of every command, also for one in a terminal. */
  readonly env: NodeJS.ProcessEnv;

  readonly #projectFolder: string;
  readonly #root: string;
  readonly #running = new Set<RunningCommand>();

  private constructor(root: string, projectFolder: string, env: NodeJS.ProcessEnv) {
    this.#root = root;
    this.home = join(root, "home");
    this.#projectFolder = projectFolder;
    this.env = { ...env, HOME: this.home };
  }

  /**
   * Makes a stack, `test` by default, of the project in `projectFolder` (where its configuration file is written).
   *
   * @param env variables over those of this process; `PULUMI_…` and `SSH_AUTH_SOCK` of this one are not passed on
   */
  static async create(
    engine: Engine,
    projectFolder: string,
    env: Readonly<Record<string, string>> = {},
    name = "test",
  ): Promise<Stack> {
    const root = await mkdtemp(join(tmpdir(), "pulumi-stack-"));
    const stack = new Stack(root, projectFolder, { ...ownEnvironment(engine, root), ...env });
    for (const folder of ["home", "state", "tmp"]) await mkdir(join(root, folder));
    await stack.run(["stack", "init", name]);
    return stack;
  }

  /** Sets one value of the stack's configuration. */
  async config(key: string, value: string, { secret, path }: ConfigOptions = {}): Promise<void> {
    const flags = [secret ? "--secret" : "--plaintext", ...(path ? ["--path"] : [])];
    await this.run(["config", "set", ...flags, "--", key, value]);
  }

  /** Sets several values with one command. */
  async configAll(plaintext: ConfigValues, secret: ConfigValues = {}): Promise<void> {
    const flagsOf = (flag: string, values: ConfigValues) =>
      Object.entries(values).flatMap(([key, value]) => [flag, `${key}=${value}`]);
    await this.run([
      "config",
      "set-all",
      ...flagsOf("--plaintext", plaintext),
      ...flagsOf("--secret", secret),
    ]);
  }

  /** `pulumi preview`; see {@link Stack.run} for result and errors. */
  async preview(options?: StackOptions): Promise<CommandResult> {
    return await this.run(commandOf("preview"), options);
  }

  /** `pulumi up` without preview; see {@link Stack.run} for result and errors. */
  async up(options?: StackOptions): Promise<CommandResult> {
    return await this.run(commandOf("up"), options);
  }

  /** `pulumi refresh` without preview; see {@link Stack.run} for result and errors. */
  async refresh(options?: StackOptions): Promise<CommandResult> {
    return await this.run(commandOf("refresh"), options);
  }

  /** `pulumi destroy` without preview; see {@link Stack.run} for result and errors. */
  async destroy(options?: StackOptions): Promise<CommandResult> {
    return await this.run(commandOf("destroy"), options);
  }

  /** The stack's outputs, secret ones in plain. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const { stdout } = await this.run(["stack", "output", "--json", "--show-secrets"]);
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  /** The state, secrets encrypted. */
  async export(): Promise<StackState> {
    return JSON.parse(await this.exportText()) as StackState;
  }

  /** The state's text, secrets encrypted: what a file in the backend holds. */
  async exportText(): Promise<string> {
    return (await this.run(["stack", "export"])).stdout;
  }

  /**
   * Runs `pulumi` with `command` to its end, for instance `["cancel", "--yes"]`.
   *
   * @throws {@link CommandError} if it fails, or does not fail though it should
   */
  async run(command: readonly string[], options: StackOptions = {}): Promise<CommandResult> {
    const result = await this.#start(command, options).done;
    const failed = result.status !== 0;
    if (failed !== (options.expectFailure ?? false)) {
      throw new CommandError(["pulumi", ...command].join(" "), result.status, result.output);
    }
    return result;
  }

  /** Begins an operation and leaves it running, for tests that send it signals. The end of the scope kills it. */
  start(operation: Operation, options: Omit<StackOptions, "expectFailure"> = {}): RunningCommand {
    return this.#start(commandOf(operation), options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const running of this.#running) running.killGroup("SIGKILL");
    await Promise.allSettled([...this.#running].map((running) => running.done));
    await rm(this.#root, { recursive: true, force: true });
  }

  #start(command: readonly string[], { args = [], env = {} }: StackOptions): RunningCommand {
    const [verb = "", ...rest] = command;
    const all = [verb, "--non-interactive", "--color=never", ...args, ...rest];
    const running = new RunningCommand("pulumi", all, {
      cwd: this.#projectFolder,
      env: { ...this.env, ...env },
    });
    this.#running.add(running);
    const forget = (): boolean => this.#running.delete(running);
    running.done.then(forget, forget);
    return running;
  }
}

/** A preview before each operation would cost as much again, and say nothing that the operation does not. */
function commandOf(operation: Operation): readonly string[] {
  return operation === "preview" ? ["preview"] : [operation, "--yes", "--skip-preview"];
}

/** What the CLI has to know so as to use nothing of the user's: no settings, account, plugins, SSH agent. */
function ownEnvironment(engine: Engine, root: string): NodeJS.ProcessEnv {
  const isForeign = (name: string): boolean => name.startsWith("PULUMI_") || name === "SSH_AUTH_SOCK";
  return {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForeign(name))),
    PATH: [engine.folder, process.env["PATH"]].join(delimiter),
    TMPDIR: join(root, "tmp"),
    PULUMI_HOME: join(root, "pulumi"),
    // Beside each file stands one of metadata, which is cut to nothing before it is written: an engine that is
    // killed in between leaves a state that no command reads (`failed to load checkpoint: EOF`; gocloud.dev:
    // fileblob/attrs.go). The files themselves are renamed into place.
    PULUMI_BACKEND_URL: `file://${join(root, "state")}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE: randomUUID(),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Types are checked for all programs at once; here that would take seconds for each run.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
  };
}
