import { type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import type { Provider, ResourceName } from "./stack";

/** A process that serves providers and can be killed, with a stand-in for its engine: a listener, and its stdin. */
export abstract class ProviderProcess implements AsyncDisposable {
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>;

  isFrozen = false;

  protected constructor(
    protected readonly child: ChildProcess,
    private readonly engine: Server,
  ) {
    this.exited = once(child, "exit");
    // A killed process closes its stdin.
    child.stdin?.on("error", () => undefined);
  }

  /** A provider in this process. */
  abstract provider(resource: ResourceName): Provider;

  /** SIGKILL; resolves once it is gone. */
  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }

  /** Like a machine that loses power: the process is silent, and nobody tells the host. */
  freeze(): void {
    this.child.kill("SIGSTOP");
    this.isFrozen = true;
  }

  /** What a process sees when its engine is killed. */
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
}

/** Starts a stand-in for an engine, and returns its address as a process of its providers gets it. */
export async function startEngine(): Promise<{ engine: Server; address: string }> {
  const engine = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(engine, "listening");
  return { engine, address: `127.0.0.1:${(engine.address() as AddressInfo).port}` };
}
