import { randomImage, sizeName } from "../images";
import { Link } from "../link";
import { interleave } from "../measure";
import type { Plan } from "../plan";
import type { Findings } from "../result";
import { Site } from "../site";

const ROUND_TRIP_MS = 50;

/** One image to a host that is far away. */
export async function farHost(plan: Plan, folder: string): Promise<Findings> {
  await using site = await Site.start();
  await using link = await Link.to(site.host.connection, { roundTripMs: ROUND_TRIP_MS });
  const { connection } = link;
  const image = randomImage(folder, plan.farImageBytes);
  const inputs = await site.inputsFor([image], connection);
  const { create, scp } = await interleave(plan.slowRounds, {
    create: () => site.timeCreate(inputs),
    scp: () => site.timeScp(image, { connection }),
  });
  const row = {
    what: `one image of ${sizeName(plan.farImageBytes)} over ${ROUND_TRIP_MS} ms of round trip`,
    against: "scp",
    value: scp.medianMs / create.medianMs,
    unit: "times as fast",
    target: { atLeast: 3 },
    timings: { create, scp },
  } as const;
  return { rows: [row] };
}
