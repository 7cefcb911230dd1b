import { MIB, sizeName, sparseImage } from "../images";
import type { Plan } from "../plan";
import type { Findings } from "../result";
import { Site } from "../site";

const MOST_MIB = 150;

/** What a provider's process takes over what it has when it does nothing. */
export async function memory(plan: Plan, folder: string): Promise<Findings> {
  await using site = await Site.start();
  const idle = await site.provider.memory();
  const inputs = await site.inputsFor([sparseImage(folder, "huge", plan.hugeImageBytes)]);
  await site.timeCreate(inputs);
  const { peakBytes } = await site.provider.memory();
  const value = (peakBytes - idle.residentBytes) / MIB;
  const what = `resident memory while an image of ${sizeName(plan.hugeImageBytes)} is checked and uploaded, over an idle provider process`;
  return {
    rows: [{ what, against: undefined, value, unit: "MiB", target: { atMost: MOST_MIB }, timings: {} }],
    counts: [{ what: `MiB of ${what}`, value: Math.round(value), atMost: MOST_MIB }],
  };
}
