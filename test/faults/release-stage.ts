import { setTimeout as sleep } from "node:timers/promises";
import type { IsoReleaseState } from "../../provider/lifecycle/iso-release";
import { addVm, drivesOf } from "../host/drive";
import { IDLE_MS } from "./disc-stage";
import { differencesFrom, whatIsThere } from "./host-state";
import { isSilent, type Judgement, type SetStage } from "./scene";

/** A release of a disc that is in the drive of a running VM. */
export const setReleaseStage: SetStage = async (site, cell, images) => {
  const { pool } = site;
  const disc = site.disc(images.small, { once: true });
  await disc.up();
  const { srUuid, vdiUuid = "" } = disc.stored!.outputs;
  const { vm } = addVm(pool, { powerState: "running", drives: [{ vdiUuid }] });
  const stack = site.stack<IsoReleaseState>("isoRelease", { srUuid });
  if (cell.step.name === "connect") await sleep(IDLE_MS);

  const judge = async (): Promise<Judgement> => {
    const { stored } = stack;
    if (!stored && isSilent(cell)) return { promised: "c", problems: [] };
    if (!stored) return { promised: "a", problems: await differencesFrom(pool, disc.stored!.outputs) };
    const left = await whatIsThere(pool);
    const isNamed = left.length === 0 || stored.outputs.left !== undefined;
    return {
      promised: "b",
      problems: isNamed ? [] : ["the state calls it released, the host has:", ...left],
    };
  };
  return {
    stack,
    operate: (some) => some.up(),
    judge,
    differences: async () => [
      ...(await whatIsThere(pool)),
      ...drivesOf(pool, vm).filter((drive) => drive !== "3: empty"),
    ],
    clear: async () => {
      await disc.refresh();
      await disc.destroy();
      return whatIsThere(pool);
    },
  };
};
