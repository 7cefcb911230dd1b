/**
 * A provider process that can be killed: carries out the calls that its parent sends. Its first argument is the address
 * of the stand-in for the engine, as a real engine passes it.
 */
import { configure } from "../../provider/lifecycle/provider";
import { whatIsHeld } from "./resources";
import { PROVIDERS } from "./stack";
import type { WorkerAnswer, WorkerCall } from "./worker-process";

process.on("message", (call: WorkerCall) => {
  void answer(call).then((result) => process.send?.(result));
});

async function answer(call: WorkerCall): Promise<WorkerAnswer> {
  const { id } = call;
  try {
    return { id, value: await valueOf(call) };
  } catch (error) {
    const { message, ...shape } = error as Error;
    return { id, error: { message, ...shape } };
  }
}

async function valueOf(call: WorkerCall): Promise<unknown> {
  if (call.method === "held") return whatIsHeld();
  const none = (): string => undefined as never;
  await configure({ config: { get: none, require: none } });
  const provider = PROVIDERS[call.resource] as Record<
    string,
    (...args: readonly unknown[]) => Promise<unknown>
  >;
  return provider[call.method]?.(...call.args);
}
