import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { SimulatedPool } from "../simulator";
import { isForSweep } from "./cells";
import { whatIsThere } from "./host-state";
import { isSilent, type Judgement, type SetStage } from "./scene";

/** A disc of a whole pool that is created or deleted. */
export const setPoolStage: SetStage = async (site, cell, images) => {
  const { pool } = site;
  const { step } = cell;
  const stack = site.disc(images[step.image ?? "small"], {
    poolWide: true,
    hostConnections: site.hostConnections,
  });
  if (step.operation === "pool delete") await stack.up();

  const judge = async (error: unknown): Promise<Judgement> => {
    const { stored } = stack;
    if (!stored) {
      const left = await whatIsThere(pool);
      if (left.length === 0) return { promised: "a", problems: [] };
      if (isForSweep(cell)) return { promised: "s", problems: await sweep() };
      if (isSilent(cell)) return { promised: "c", problems: [] };
      return { problems: ["the state names nothing, the pool has:", ...left] };
    }
    // The state still names a disc whose delete ended well after the engine was killed.
    const isToBeThere = error === undefined && step.operation !== "pool delete";
    return { promised: "b", problems: isToBeThere ? differences(pool, stored.outputs) : [] };
  };
  /** As `sweep` does: the SR leads to the disc, and the pool to its hosts. */
  const sweep = async (): Promise<string[]> => {
    const [sr] = pool.xapi.srs;
    if (!sr?.nameDescription.includes(site.urnOf("tempIso"))) return ["the disc does not name its owner"];
    const release = site.stack("isoRelease", { srUuid: sr.uuid, hostConnections: site.hostConnections });
    await release.up();
    return whatIsThere(pool);
  };
  return {
    stack,
    operate: (some) => (step.operation === "pool delete" ? some.destroy() : some.up()),
    judge: ({ error }) => judge(error),
    differences: () =>
      Promise.resolve(stack.stored ? differences(pool, stack.stored.outputs) : ["no disc in the state"]),
    clear: () => whatIsThere(pool),
  };
};

/** How the pool differs from having exactly this one disc on every host. */
function differences({ xapi, hosts }: SimulatedPool, disc: TempIsoState): string[] {
  const plugged = xapi.pbds.filter(({ currentlyAttached }) => currentlyAttached);
  const expected: [what: string, actual: readonly unknown[], wanted: readonly unknown[]][] = [
    ["status", [disc.status], ["ready"]],
    ["SRs", xapi.srs.map(({ uuid }) => uuid), [disc.srUuid]],
    ["VDIs", xapi.vdis.map(({ uuid }) => uuid), [disc.vdiUuid]],
    ["plugged on", plugged.map(({ hostUuid }) => hostUuid).sort(), hosts.map(({ uuid }) => uuid).sort()],
  ];
  return expected
    .filter(([, actual, wanted]) => String(actual) !== String(wanted))
    .map(
      ([what, actual, wanted]) => `${what}: ${actual.join(", ") || "none"} instead of ${wanted.join(", ")}`,
    );
}
