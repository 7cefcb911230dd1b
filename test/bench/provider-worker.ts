/**
 * A provider's process, as the engine has one: makes the calls that its parent sends, as many at once as these are,
 * and answers each. Ends with its parent. Its argument is the folder of the clone whose provider it runs.
 */
import { subscribe } from "node:diagnostics_channel";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Progress, progressChannel } from "../../provider/host/progress";
import type * as Provider from "../../provider/lifecycle/provider";
import type { Answer, Arrival, Call } from "./provider-process";
import { createByReference } from "./reference";

const [, , checkout = ""] = process.argv;
const { configure, tempIso } = createRequire(join(checkout, "package.json"))(
  "./provider/lifecycle/provider.ts",
) as typeof Provider;

const METHODS: Readonly<Record<Call["method"], (...args: never[]) => unknown>> = {
  check: (news: Record<string, unknown>) => tempIso.check({}, news),
  create: tempIso.create,
  delete: tempIso.delete,
  reference: createByReference,
  memory: () => ({
    residentBytes: process.memoryUsage.rss(),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }),
};

const none = (): string => undefined as never;
void configure({ config: { get: none, require: none } });

subscribe(progressChannel.name, (message) => {
  const progress = message as Progress;
  if (progress.step === "uploading") process.send?.({ arrivedBytes: progress.sentBytes } satisfies Arrival);
});

process.on("disconnect", () => process.exit());
process.on("message", (call: Call) => {
  void answer(call).then((result) => process.send?.(result));
});

async function answer({ id, method, args }: Call): Promise<Answer> {
  try {
    return { id, value: await METHODS[method](...(args as never[])) };
  } catch (error) {
    return { id, message: (error as Error).message };
  }
}
