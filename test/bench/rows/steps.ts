import type { TempIsoState } from "../../../provider/lifecycle/temp-iso";
import { MIB, sizeName, sparseImage } from "../images";
import { Link } from "../link";
import type { Plan } from "../plan";
import { SMALL_BYTES } from "../plan";
import type { Count, Findings } from "../result";
import { Site } from "../site";

const LARGE_BYTES = 32 * MIB;

/** How many channels send a large image at most. */
const MOST_RANGES = 6;

/** What SSH itself adds to what is sent: headers, keys, scripts. */
const OVERHEAD_BYTES = MIB;

/** What goes over the wire for one disc, and for ten of one image: counted, not timed. */
export async function steps(_plan: Plan, folder: string): Promise<Findings> {
  const small = sparseImage(folder, "counted-small", SMALL_BYTES);
  const large = sparseImage(folder, "counted-large", LARGE_BYTES);
  const ofSmall = await countLife([small]);
  const ofLarge = await countLife([large]);
  const ofTen = await countLife(Array.from({ length: 10 }, () => large));
  const [smallName, largeName] = [sizeName(SMALL_BYTES), sizeName(LARGE_BYTES)];
  const counts: Count[] = [
    { what: `commands for a disc of ${smallName}`, value: ofSmall.create.commands, atMost: 1 },
    { what: `commands for a disc of ${largeName}`, value: ofLarge.create.commands, atMost: 2 + MOST_RANGES },
    { what: `xe calls for a disc`, value: ofSmall.create.xeCalls, atMost: 4 },
    { what: `xe calls for the delete of a disc that no VM holds`, value: ofSmall.delete.xeCalls, atMost: 3 },
    { what: `connections for a disc`, value: ofSmall.create.connections, atMost: 1 },
    { what: `connections for ten discs at once`, value: ofTen.create.connections, atMost: 1 },
    {
      what: `bytes sent for a disc of ${largeName}`,
      value: ofLarge.create.sentBytes,
      atMost: LARGE_BYTES + OVERHEAD_BYTES,
    },
    {
      what: `bytes sent for ten discs of one image of ${largeName}`,
      value: ofTen.create.sentBytes,
      atMost: LARGE_BYTES + OVERHEAD_BYTES,
    },
  ];
  return { rows: [], counts };
}

/**
 * Makes discs of these images at once, and deletes them.
 *
 * @param checkout of the provider; see {@link Site.start}
 */
export async function countLife(isoPaths: readonly string[], checkout?: string) {
  await using site = await Site.start({}, checkout);
  await using link = await Link.to(site.host.connection);
  const inputs = await site.inputsFor(isoPaths, link.connection);
  const counter = async () => ({
    commands: site.host.sessions,
    connections: site.host.connections,
    xeCalls: site.pool.xapi.calls.length,
    sentBytes: await link.sentBytes(),
  });
  let states: readonly TempIsoState[] = [];
  const create = await difference(counter, async () => {
    states = await Promise.all(inputs.map((each) => site.provider.create(each)));
  });
  return {
    create,
    delete: await difference(counter, () => Promise.all(states.map((state) => site.provider.delete(state)))),
  };
}

/** How much each counter has grown by some work. */
async function difference<Name extends string>(
  counter: () => Promise<Record<Name, number>>,
  work: () => Promise<unknown>,
): Promise<Record<Name, number>> {
  const before = await counter();
  await work();
  const after = await counter();
  const names = Object.keys(after) as Name[];
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]])) as Record<Name, number>;
}
