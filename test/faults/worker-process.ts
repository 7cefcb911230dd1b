import { type ChildProcess, fork } from "node:child_process";
import type { Server } from "node:net";
import { ProviderProcess, startEngine } from "./provider-process";
import type { Held } from "./resources";
import type { Provider, ResourceName } from "./stack";

/** One call of a provider, as it is sent to a worker; or the question what the process holds. */
export type WorkerCall =
  | {
      readonly id: number;
      readonly resource: ResourceName;
      readonly method: keyof Provider;
      readonly args: readonly unknown[];
    }
  | { readonly id: number; readonly method: "held" };

/** The result of the call with this ID. */
export type WorkerAnswer = { readonly id: number } & (
  | { readonly value?: unknown }
  | { readonly error: { readonly message: string } & Readonly<Record<string, unknown>> }
);

/** The process ended before it answered. */
class WorkerGoneError extends Error {
  override readonly name = "WorkerGoneError";
}

/** A process of dynamic providers. */
export class WorkerProcess extends ProviderProcess {
  readonly #waiting = new Map<number, (answer: WorkerAnswer) => void>();
  #calls = 0;

  private constructor(child: ChildProcess, engine: Server) {
    super(child, engine);
    child.on("message", (answer: WorkerAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
  }

  static async start(): Promise<WorkerProcess> {
    const { engine, address } = await startEngine();
    const child = fork(require.resolve("./worker.ts"), [address], {
      execArgv: ["--import", "tsx"],
      stdio: ["pipe", "inherit", "inherit", "ipc"],
    });
    return new WorkerProcess(child, engine);
  }

  override provider(resource: ResourceName): Provider {
    const call =
      (method: keyof Provider) =>
      (...args: readonly unknown[]) =>
        this.#call({ resource, method, args });
    return {
      check: call("check"),
      diff: call("diff"),
      create: call("create"),
      read: call("read"),
      update: call("update"),
      delete: call("delete"),
    } as Provider;
  }

  /** What the process holds. */
  held(): Promise<Held> {
    return this.#call({ method: "held" });
  }

  async #call<T>(call: Unnumbered<WorkerCall>): Promise<T> {
    const id = ++this.#calls;
    const answered = new Promise<WorkerAnswer>((resolve) => this.#waiting.set(id, resolve));
    const gone = this.exited.then(() => {
      throw new WorkerGoneError("The provider process ended before it answered.");
    });
    // The process may be gone already.
    if (this.isRunning) this.child.send({ id, ...call }, () => undefined);
    const answer = await Promise.race([answered, gone]);
    if ("error" in answer) throw Object.assign(new Error(answer.error.message), answer.error);
    // JSON has no undefined: the answer of a delete has no value.
    return answer.value as T;
  }
}

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;
