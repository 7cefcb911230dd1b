import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { sizeName, sparseImage } from "../images";
import { interleave, time } from "../measure";
import type { Plan } from "../plan";
import { ProviderProcess } from "../provider-process";
import type { Findings } from "../result";

/** The check of a huge image that nobody has seen before. */
export async function check(plan: Plan, folder: string): Promise<Findings> {
  const isoPath = sparseImage(folder, "checked", plan.hugeImageBytes);
  const connection = { host: "xen1.example.net", password: "none" };
  const args = {
    isoPath,
    owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
    connection,
  };
  const { checked, sha256sum } = await interleave(plan.slowRounds, {
    checked: async () => {
      await using provider = await ProviderProcess.start();
      return await time(() => provider.check(args));
    },
    sha256sum: () => time(() => promisify(execFile)("sha256sum", [isoPath])),
  });
  const row = {
    what: `sha256 and check of an image of ${sizeName(plan.hugeImageBytes)}, never seen before`,
    against: "sha256sum",
    value: checked.medianMs / sha256sum.medianMs,
    unit: "times its time",
    target: { atMost: 1.5 },
    timings: { check: checked, sha256sum },
  } as const;
  return { rows: [row] };
}
