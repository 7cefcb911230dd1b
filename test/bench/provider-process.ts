import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { TempIsoInputs } from "../../provider/lifecycle/inputs";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { HostConnection } from "../simulator";
import type { ReferenceDisc } from "./reference";

/** One call, as it is sent to the process. */
export interface Call {
  readonly id: number;
  readonly method: "check" | "create" | "delete" | "reference" | "memory";
  readonly args: readonly unknown[];
}

/** What it answers. */
export type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly message: string });

/** What it says without being asked: so many bytes of an image have arrived on the host. */
export interface Arrival {
  readonly arrivedBytes: number;
}

/** A provider in a process of its own, so that it shares no event loop with the simulated toolstack. */
export class ProviderProcess implements AsyncDisposable {
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #calls = 0;

  private constructor(
    private readonly child: ChildProcess,
    onProgress: (arrivedBytes: number) => void,
  ) {
    child.on("message", (answer: Answer | Arrival) => {
      if ("arrivedBytes" in answer) return onProgress(answer.arrivedBytes);
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    child.on("exit", () => {
      for (const [id, settle] of this.#waiting)
        settle({ id, message: "The provider process ended before it answered." });
    });
  }

  /**
   * Starts it with nothing remembered of any image, and no agent.
   *
   * @param hasOwnNetwork in a network namespace without any device
   * @param checkout the folder of the clone whose provider it runs. Default: this one
   */
  static async start({
    hasOwnNetwork = false,
    onProgress = () => undefined,
    checkout = resolve(__dirname, "../.."),
  }: {
    hasOwnNetwork?: boolean;
    onProgress?: (arrivedBytes: number) => void;
    checkout?: string | undefined;
  } = {}): Promise<ProviderProcess> {
    const { SSH_AUTH_SOCK: _agent, ...env } = process.env;
    const XDG_CACHE_HOME = mkdtempSync(join(tmpdir(), "cache-"));
    const child = fork(require.resolve("./provider-worker.ts"), [resolve(checkout)], {
      ...(hasOwnNetwork
        ? { execPath: "unshare", execArgv: ["--net", process.execPath, "--import", "tsx"] }
        : { execArgv: ["--import", "tsx"] }),
      env: { ...env, XDG_CACHE_HOME },
    });
    const provider = new ProviderProcess(child, onProgress);
    await provider.memory();
    return provider;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What check makes of the arguments of a disc. */
  async check(args: Readonly<Record<string, unknown>>): Promise<TempIsoInputs> {
    const result = await this.#call<{ inputs: TempIsoInputs; failures: { reason: string }[] }>("check", [
      args,
    ]);
    if (result.failures.length > 0) throw new Error(result.failures.map(({ reason }) => reason).join("\n"));
    return result.inputs;
  }

  async create(inputs: TempIsoInputs): Promise<TempIsoState> {
    return (await this.#call<{ outs: TempIsoState }>("create", [inputs])).outs;
  }

  delete(state: TempIsoState): Promise<void> {
    return this.#call("delete", [state.srUuid, state]);
  }

  /** What the port of the reference does in the place of a create. */
  createByReference(connection: HostConnection, isoPath: string): Promise<ReferenceDisc> {
    return this.#call("reference", [connection, isoPath]);
  }

  memory(): Promise<{ residentBytes: number; peakBytes: number }> {
    return this.#call("memory", []);
  }

  /** What it has read so far, from files and connections; Linux counts it. */
  readBytes(): number {
    const [, bytes] = /^rchar: (\d+)$/m.exec(readFileSync(`/proc/${this.child.pid}/io`, "utf8")) ?? [];
    return Number(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.disconnect();
    await exited;
  }

  async #call<T>(method: Call["method"], args: readonly unknown[]): Promise<T> {
    const id = this.#calls++;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(id, resolve));
    this.child.send({ id, method, args } satisfies Call);
    const answer = await answered;
    if ("message" in answer) throw new Error(answer.message);
    return answer.value as T;
  }
}
