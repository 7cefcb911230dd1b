/**
 * A provider process that can be killed: makes the calls that its parent sends, and answers. Its first argument
 * is the address of what stands for the engine, as the real one gives it.
 */
import { configure, tempIso } from "../../provider/lifecycle/provider";
import type { WorkerAnswer, WorkerCall } from "./worker-process";

process.on("message", ({ method, args }: WorkerCall) => {
  void answer(method, args).then((result) => process.send?.(result));
});

async function answer(method: WorkerCall["method"], args: readonly unknown[]): Promise<WorkerAnswer> {
  try {
    const none = (): string => undefined as never;
    await configure({ config: { get: none, require: none } });
    const call = tempIso[method] as (...args: readonly unknown[]) => Promise<unknown>;
    return { value: await call(...args) };
  } catch (error) {
    const { message, ...shape } = error as Error;
    return { error: { message, ...shape } };
  }
}
