import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { Provider } from "./stack";

/** One call of the provider, as it is sent to a worker. */
export interface WorkerCall {
  readonly method: keyof Provider;
  readonly args: readonly unknown[];
}

/** How it went. */
export type WorkerAnswer =
  | { readonly value: unknown }
  | { readonly error: { readonly message: string } & Readonly<Record<string, unknown>> };

/** The process ended before it answered. */
class WorkerGoneError extends Error {
  override readonly name = "WorkerGoneError";
}

/** The process of a provider, and what stands for its engine: a listener, and the end of its standard input. */
export class WorkerProcess implements AsyncDisposable {
  /** Resolves with the process's end. */
  readonly exited: Promise<unknown>;

  isFrozen = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly engine: Server,
  ) {
    this.exited = once(child, "exit");
    // A process that was killed reads no more.
    child.stdin?.on("error", () => undefined);
  }

  static async start(): Promise<WorkerProcess> {
    const engine = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(engine, "listening");
    const address = `127.0.0.1:${(engine.address() as AddressInfo).port}`;
    const child = fork(require.resolve("./worker.ts"), [address], {
      execArgv: ["--import", "tsx"],
      stdio: ["pipe", "inherit", "inherit", "ipc"],
    });
    return new WorkerProcess(child, engine);
  }

  /** The provider in this process; it takes one call at a time. */
  readonly provider: Provider = {
    check: (...args) => this.#call("check", args),
    diff: (...args) => this.#call("diff", args),
    create: (...args) => this.#call("create", args),
    read: (...args) => this.#call("read", args),
    update: (...args) => this.#call("update", args),
    delete: (...args) => this.#call("delete", args),
  };

  /** SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** As if its machine had lost power: it is silent, and nobody tells the host. */
  freeze(): void {
    this.child.kill("SIGSTOP");
    this.isFrozen = true;
  }

  /** What a process sees of its engine's end by SIGKILL. */
  async killEngine(): Promise<void> {
    this.engine.close();
    await once(this.engine, "close");
    this.child.stdin?.end();
  }

  /** Whether the process is there. */
  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.kill();
    if (this.engine.listening) this.engine.close();
  }

  async #call<T>(method: keyof Provider, args: readonly unknown[]): Promise<T> {
    const answered = once(this.child, "message") as Promise<[WorkerAnswer]>;
    const gone = this.exited.then(() => {
      throw new WorkerGoneError("The provider process ended before it answered.");
    });
    this.child.send({ method, args } satisfies WorkerCall);
    const [answer] = await Promise.race([answered, gone]);
    if ("value" in answer) return answer.value as T;
    throw Object.assign(new Error(answer.error.message), answer.error);
  }
}
