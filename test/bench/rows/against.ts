import { type Contestant, interleave } from "../measure";
import { GIB, KIB, MIB, randomImage, sizeName, sparseImage } from "../images";
import { MANY_DISCS, SMALL_BYTES } from "../plan";
import type { Count, Parts, Row } from "../result";
import { Site } from "../site";
import { countLife } from "./steps";

/** Small ones are quickly made, and vary most. */
const SIZES = [
  { sizeBytes: SMALL_BYTES, rounds: 25 },
  { sizeBytes: 32 * MIB, rounds: 15 },
  { sizeBytes: GIB, rounds: 7 },
] as const;

/** Scripts and SSH's own messages differ a little. */
const FEW_BYTES = 8 * KIB;

/** Noise of a machine that does other things as well. */
const NOT_SLOWER = 0.95;

/**
 * This provider and that of another clone, in turns on hosts of their own: the time of one disc and of many, memory,
 * and what goes over the wire.
 *
 * @param checkout folder of the other clone
 */
export function against(checkout: string): Parts {
  const compare = async (what: string, rounds: number, paths: readonly string[]): Promise<Row> => {
    await using ours = await Site.start();
    await using theirs = await Site.start({}, checkout);
    const contestantOf = async (site: Site): Promise<Contestant> => {
      const inputs = await site.inputsFor(paths);
      return () => site.timeCreate(inputs);
    };
    const contestants = { ours: await contestantOf(ours), theirs: await contestantOf(theirs) };
    // The first create of a process loads code.
    await interleave(1, contestants);
    const timings = await interleave(rounds, contestants);
    return {
      what,
      against: "the other clone",
      value: timings.theirs.medianMs / timings.ours.medianMs,
      unit: "times as fast",
      target: { atLeast: NOT_SLOWER },
      timings: { "this clone": timings.ours, "the other clone": timings.theirs },
    };
  };

  return {
    "one disc": async ({ isQuick }, folder) => {
      const rows: Row[] = [];
      for (const { sizeBytes, rounds } of SIZES.filter((each) => !isQuick || each.sizeBytes < GIB))
        rows.push(
          await compare(`one disc of ${sizeName(sizeBytes)}`, isQuick ? 3 : rounds, [
            randomImage(folder, sizeBytes),
          ]),
        );
      return { rows };
    },
    "many discs": async ({ slowRounds }, folder) => {
      const paths = Array.from({ length: MANY_DISCS }, (_, index) =>
        sparseImage(folder, `many-${index}`, SMALL_BYTES),
      );
      return { rows: [await compare(`${MANY_DISCS} discs of ${sizeName(SMALL_BYTES)}`, slowRounds, paths)] };
    },
    memory: async ({ hugeImageBytes }, folder) => {
      const image = sparseImage(folder, "huge", hugeImageBytes);
      const [ours, theirs] = [await peakMibOf(image), await peakMibOf(image, checkout)];
      const what = `resident memory of a provider process, image of ${sizeName(hugeImageBytes)}`;
      const row = {
        what,
        against: `the other clone: ${theirs.toFixed(0)} MiB`,
        value: ours,
        unit: "MiB",
        target: { atMost: Math.round(theirs * 1.1) },
        timings: {},
      } as const;
      return { rows: [row] };
    },
    steps: async (_plan, folder) => {
      const counts: Count[] = [];
      for (const sizeBytes of [SMALL_BYTES, 32 * MIB]) {
        const image = sparseImage(folder, `counted-${sizeBytes}`, sizeBytes);
        const [ours, theirs] = [await countLife([image]), await countLife([image], checkout)];
        for (const phase of ["create", "delete"] as const)
          for (const name of Object.keys(ours[phase]) as (keyof typeof ours.create)[])
            counts.push({
              what: `${name}, ${phase} of a disc of ${sizeName(sizeBytes)}; at most what the other clone takes`,
              value: ours[phase][name],
              atMost: theirs[phase][name] + (name === "sentBytes" ? FEW_BYTES : 0),
            });
      }
      return { rows: [], counts };
    },
  };
}

async function peakMibOf(image: string, checkout?: string): Promise<number> {
  await using site = await Site.start({}, checkout);
  await site.timeCreate(await site.inputsFor([image]));
  return (await site.provider.memory()).peakBytes / MIB;
}
