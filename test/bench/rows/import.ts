import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { timingOf } from "../measure";
import type { Plan } from "../plan";
import type { Findings } from "../result";

const repository = resolve(__dirname, "../../..");

const PROGRAM = `
  const begun = performance.now();
  require("@pulumi/pulumi");
  const between = performance.now();
  require("pulumi-xen-iso");
  console.log(JSON.stringify({ sdkMs: between - begun, packageMs: performance.now() - between }));
`;

/** What the package adds to the start of a program, which imports the SDK in any case. */
export async function importing({ imports }: Plan): Promise<Findings> {
  const runs: { sdkMs: number; packageMs: number }[] = [];
  for (let run = 0; run < imports; run++) {
    const { stdout } = await promisify(execFile)(process.execPath, ["--eval", PROGRAM], { cwd: repository });
    runs.push(JSON.parse(stdout) as (typeof runs)[number]);
  }
  const added = timingOf(runs.map(({ packageMs }) => packageMs));
  const sdk = timingOf(runs.map(({ sdkMs }) => sdkMs));
  const row = {
    what: "import of the package in a fresh process",
    against: "import of @pulumi/pulumi alone",
    value: added.medianMs,
    unit: "ms",
    target: { atMost: 30 },
    timings: { "added by pulumi-xen-iso": added, "@pulumi/pulumi": sdk },
  } as const;
  return { rows: [row] };
}
