import { sizeName, sparseImage } from "../images";
import { interleave } from "../measure";
import type { Plan } from "../plan";
import type { Findings } from "../result";
import { Site } from "../site";

const DISCS = 10;

/** Ten discs of one image at the same time, and ten of ten images. */
export async function sameImage(plan: Plan, folder: string): Promise<Findings> {
  await using site = await Site.start();
  const images = Array.from({ length: DISCS }, (_, index) =>
    sparseImage(folder, `other-${index}`, plan.sameImageBytes),
  );
  const same = await site.inputsFor(images.map(() => images[0]!));
  const different = await site.inputsFor(images);
  const { one, ten } = await interleave(plan.slowRounds, {
    one: () => site.timeCreate(same),
    ten: () => site.timeCreate(different),
  });
  const size = sizeName(plan.sameImageBytes);
  const row = {
    what: `${DISCS} resources with the same image of ${size} on one host`,
    against: `${DISCS} uploads`,
    value: ten.medianMs / one.medianMs,
    unit: "times as fast",
    target: { atLeast: 8 },
    timings: { "the same image": one, [`${DISCS} images`]: ten },
  } as const;
  return { rows: [row] };
}
