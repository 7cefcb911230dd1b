import { setTimeout as sleep } from "node:timers/promises";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { type Cell, isForSweep } from "./cells";
import { differencesFrom, notPartOf, putTwin, whatIsThere } from "./host-state";
import type { Ending } from "./inject";
import { isSilent, type Judgement, type SetStage } from "./scene";
import { type Site, SR_MOUNT_PATH } from "./site";
import type { StandInStack } from "./stack";

/** Longer than a provider keeps an idle connection. */
export const IDLE_MS = 5_500;

/** A disc that is created, updated, read or deleted. */
export const setDiscStage: SetStage = async (site, cell, images) => {
  const { pool } = site;
  const { step } = cell;
  const stack = site.disc(images[step.image ?? "small"]);
  if (step.hasTwin) putTwin(site.host, images[step.image ?? "small"]);
  if (step.name === "pbd-plug")
    pool.xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails" } });
  if (step.operation !== "create") {
    await stack.up();
    const vdiUuid = stack.stored?.outputs.vdiUuid ?? "";
    // A delete ejects it from a running VM.
    if (step.operation === "delete" && !step.isUnused)
      pool.xapi.addVm({ name: "web-1", powerState: "running", drives: [{ vdiUuid }] });
    if (step.name === "connect") await sleep(IDLE_MS);
  }
  return {
    stack,
    operate: (some) => operate(some, cell),
    judge: (ending) => judge(site, stack, cell, ending),
    differences: () =>
      stack.stored ? differencesFrom(pool, stack.stored.outputs) : Promise.resolve(["no disc in the state"]),
    clear: () => whatIsThere(pool),
  };
};

async function operate(stack: StandInStack, { step }: Cell): Promise<void> {
  if (step.operation === "create") await stack.up();
  else if (step.operation === "update") await stack.update();
  else if (step.operation === "read") await stack.refresh();
  else await stack.destroy();
}

async function judge(
  site: Site,
  { stored, replaced }: StandInStack<TempIsoState>,
  cell: Cell,
  { error }: Ending,
): Promise<Judgement> {
  const { pool } = site;
  const { operation } = cell.step;
  if (!stored) {
    const left = await whatIsThere(pool);
    if (left.length === 0) return { promised: "a", problems: [] };
    if (isForSweep(cell)) return { promised: "s", problems: await sweep(site) };
    if (isSilent(cell)) return { promised: "c", problems: [] };
    return { problems: ["the state names nothing, the host has:", ...left] };
  }
  // The state still names a disc whose delete ended well after the engine was killed.
  const isUntouched =
    operation === "read" || operation === "update" || (operation === "create" && error === undefined);
  const discs = [stored, ...replaced].map(({ outputs }) => outputs);
  const problems = isUntouched ? await differencesFrom(pool, stored.outputs) : await notPartOf(pool, discs);
  return { promised: "b", problems };
}

/** Finds the one complete disc on the host by its own description, and deletes it. */
async function sweep(site: Site): Promise<string[]> {
  const { pool, address } = site;
  const owner = site.urnOf("tempIso");
  const [sr] = pool.xapi.srs;
  const [vdi] = pool.xapi.vdis;
  const srPath = sr && pool.xapi.pbdsOf(sr.uuid)[0]?.deviceConfig["location"];
  if (!srPath || !vdi || !sr.nameDescription.includes(owner)) return ["the disc does not name its owner"];
  const found = { ...address, owner, srPath, isoName: vdi.nameLabel, srUuid: sr.uuid };
  const paths = (await whatIsThere(pool)).filter((line) => line.includes(`:${SR_MOUNT_PATH}`));
  if (paths.length !== 3) return ["the disc is not complete:", ...paths];
  await tempIso.delete(sr.uuid, found as TempIsoState);
  return whatIsThere(pool);
}
