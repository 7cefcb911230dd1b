import { compressedImage, MIB, sizeName, sparseImage } from "../images";
import type { Plan } from "../plan";
import type { Findings } from "../result";
import { Site } from "../site";

const MOST_MIB = 150;

/** Windows and dictionaries of the decoders come on top. */
const MOST_COMPRESSED_MIB = 250;

const COMPRESSIONS = ["gzip", "zstd", "xz", "bzip2"] as const;

/** What a provider's process takes over what it has when it does nothing. */
export async function memory(plan: Plan, folder: string): Promise<Findings> {
  const size = sizeName(plan.hugeImageBytes);
  const plain = () => sparseImage(folder, "huge", plan.hugeImageBytes);
  const found = [await measure(`an image of ${size}`, plain, MOST_MIB)];
  // They take minutes.
  for (const command of plan.isQuick ? [] : COMPRESSIONS) {
    const compressed = () => compressedImage(folder, command, plan.hugeImageBytes);
    found.push(await measure(`an image of ${size}, ${command},`, compressed, MOST_COMPRESSED_MIB));
  }
  return {
    rows: found.flatMap(({ rows }) => rows),
    counts: found.flatMap(({ counts = [] }) => counts),
  };
}

async function measure(image: string, makeImage: () => string, mostMib: number): Promise<Findings> {
  await using site = await Site.start();
  const idle = await site.provider.memory();
  await site.timeCreate(await site.inputsFor([makeImage()]));
  const { peakBytes } = await site.provider.memory();
  const value = (peakBytes - idle.residentBytes) / MIB;
  const what = `resident memory while ${image} is checked and uploaded, over an idle provider process`;
  return {
    rows: [{ what, against: undefined, value, unit: "MiB", target: { atMost: mostMib }, timings: {} }],
    counts: [{ what: `MiB of ${what}`, value: Math.round(value), atMost: mostMib }],
  };
}
