import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ServerChannel } from "ssh2";
import type { HostCommand } from "./host";
import { BIN_FOLDER } from "./host-folder";
import { rewritePaths, rewriteProcesses, RootRemover } from "./rewrite";

/** Runs the commands of exec requests in a real bash, in a folder that stands for the host. */
export class CommandRunner {
  readonly commands: HostCommand[] = [];
  readonly #running = new Set<ChildProcessWithoutNullStreams>();

  readonly #bashrc: string;

  constructor(private readonly root: string) {
    this.#bashrc = join(root, "root/.bashrc");
  }

  /** Runs one command on a channel. A signal that its client asks for is ignored: sshd sends root's none. */
  run(channel: ServerChannel, command: string): void {
    const record = this.#record(command);
    const child = this.#spawn(command);
    // sshd closes what the command reads and writes when the client is gone, and lets it run on.
    channel.on("error", () => undefined);
    channel.on("close", () => {
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
    });
    channel.pipe(child.stdin).on("error", () => undefined);
    child.stdout.pipe(new RootRemover(this.root)).pipe(channel, { end: false });
    child.stderr.pipe(new RootRemover(this.root)).pipe(channel.stderr, { end: false });
    child.on("close", (status, signalName) => {
      record.durationMs = Date.now() - record.startedAt.getTime();
      record.status = status ?? undefined;
      setImmediate(() => {
        finish(channel, status, signalName);
      });
    });
  }

  /** Whether root's shell prints something before it comes to a command. */
  isShellNoisy(): boolean {
    if (!existsSync(this.#bashrc)) return false;
    const { stdout, stderr } = spawnSync("/bin/bash", ["-c", `. ${this.#bashrc}`], {
      timeout: 1_000,
      input: "",
    });
    return stdout.length + stderr.length > 0;
  }

  /** Ends what still runs, with everything it started. */
  async killAll(): Promise<void> {
    const running = [...this.#running];
    for (const child of running) signal(child, "SIGKILL");
    const ending = running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    await Promise.all(ending.map((child) => once(child, "exit")));
  }

  #record(command: string): HostCommand {
    const record = { command, startedAt: new Date(), status: undefined, durationMs: undefined };
    this.commands.push(record);
    return record;
  }

  #spawn(command: string): ChildProcessWithoutNullStreams {
    const home = join(this.root, "root");
    // Bash reads it at the first level when it finds itself started by sshd, or what it takes for it; here it is
    // told, and sees another level.
    const start = existsSync(this.#bashrc) ? `. ${this.#bashrc}\n` : "";
    const script = process.platform === "darwin" ? rewriteProcesses(command) : command;
    const child = spawn("/bin/bash", ["-c", start + rewritePaths(script, this.root)], {
      cwd: home,
      env: {
        HOME: home,
        USER: "root",
        LOGNAME: "root",
        SHELL: "/bin/bash",
        SHLVL: "1",
        TMPDIR: join(this.root, "tmp"),
        PATH: `${join(this.root, BIN_FOLDER)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      },
      // A process group of its own, so that all of it can be ended.
      detached: true,
      stdio: "pipe",
    });
    this.#running.add(child);
    child.on("close", () => {
      // What it left in the background counts as running.
      if (!signal(child, 0)) this.#running.delete(child);
    });
    return child;
  }
}

function finish(channel: ServerChannel, status: number | null, signalName: NodeJS.Signals | null): void {
  if (!channel.writable) return;
  if (status !== null) channel.exit(status);
  else channel.exit((signalName ?? "SIGKILL").replace(/^SIG/, ""), false, "");
  channel.end();
}

/** Sends a signal to a command and all that it started; says whether there was anything left of it. */
function signal({ pid }: ChildProcessWithoutNullStreams, name: NodeJS.Signals | 0): boolean {
  try {
    return pid !== undefined && process.kill(-pid, name);
  } catch {
    return false;
  }
}
