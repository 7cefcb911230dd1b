import { setTimeout as sleep } from "node:timers/promises";
import type { IsoAttachmentState } from "../../provider/lifecycle/iso-attachment";
import type { NewDrive, SimulatedPool, VmRecord } from "../simulator";
import { addVm, drivesOf } from "../host/drive";
import type { Cell } from "./cells";
import { IDLE_MS } from "./disc-stage";
import { whatIsThere } from "./host-state";
import type { Ending } from "./inject";
import { isSilent, type Judgement, type SetStage } from "./scene";
import type { StandInStack } from "./stack";
import type { DriveKind } from "./steps";

/** An attachment of a.iso that is created, updated to b.iso, read or deleted. theirs.iso is somebody else's. */
export const setAttachmentStage: SetStage = async (site, cell, images) => {
  const { pool } = site;
  const { step } = cell;
  const discs = ["a.iso", "b.iso", "theirs.iso"].map((isoName) =>
    site.disc(images.small, { isoName, owner: site.urnOf("tempIso", isoName) }),
  );
  await Promise.all(discs.map((disc) => disc.up()));
  const [a, b, theirs] = discs.map(({ stored }) => stored?.outputs.vdiUuid ?? "");
  const { vm } = addVm(pool, {
    powerState: step.drive === "new" ? "halted" : "running",
    drives: drivesFor(step.drive, theirs ?? ""),
  });
  const before = drivesOf(pool, vm);

  const args = { vmUuid: vm.uuid, vdiUuid: a, replaceMedia: step.drive === "occupied" };
  let stack = site.stack<IsoAttachmentState>("isoAttachment", args);
  if (step.operation !== "attach") await stack.up();
  if (step.operation === "exchange") stack = stack.changed({ vdiUuid: b });
  if (step.name === "connect") await sleep(IDLE_MS);
  const wanted = step.operation === "exchange" ? "b.iso" : "a.iso";
  const drives = { before, now: () => drivesOf(pool, vm), wanted: `3: ${wanted}` };
  return {
    stack,
    operate: (some) => operate(some, cell),
    judge: (ending) => Promise.resolve(judge(stack, cell, ending, drives)),
    differences: () => Promise.resolve(differences(stack, drives)),
    clear: async () => {
      const left = drivesLeft(pool, vm, before);
      for (const disc of discs) await disc.destroy();
      return [...left, ...(await whatIsThere(pool))];
    },
  };
};

/** The CD drives of the VM, each `3: a.iso` or `3: empty`. */
interface Drives {
  readonly before: readonly string[];
  readonly now: () => readonly string[];
  readonly wanted: string;
}

function drivesFor(kind: DriveKind | undefined, theirs: string): NewDrive[] {
  if (kind === "new") return [];
  return kind === "occupied" ? [{ vdiUuid: theirs }] : [{}];
}

async function operate(stack: StandInStack, { step }: Cell): Promise<void> {
  if (step.operation === "detach") await stack.destroy();
  else if (step.operation === "look") await stack.refresh();
  else await stack.up();
}

function judge(
  stack: StandInStack<IsoAttachmentState>,
  cell: Cell,
  { error }: Ending,
  { before, now, wanted }: Drives,
): Judgement {
  const { operation } = cell.step;
  const { stored } = stack;
  const is = (...drives: string[]) => String(now()) === String(drives);
  const found = `the drives are ${now().join(", ") || "none"}`;
  if (!stored) {
    if (is(...before)) return { promised: "a", problems: [] };
    if (isSilent(cell)) return { promised: "c", problems: [] };
    return { problems: [`the state names nothing, ${found}`] };
  }
  if (isSilent(cell)) return { promised: operation === "exchange" ? "c" : "b", problems: [] };
  if (operation === "look" || (operation === "attach" && !error))
    return { promised: "b", problems: is("3: a.iso") ? [] : [found] };
  // After an exchange that failed, the old disc is back, or the state says that it is not known.
  const isKnown = stored.outputs.status === "incomplete" || operation !== "exchange";
  if (error) return { promised: "b", problems: isKnown || is("3: a.iso") ? [] : [found] };
  return { promised: "b", problems: is(wanted) ? [] : [found] };
}

function differences({ stored }: StandInStack<IsoAttachmentState>, { now, wanted }: Drives): string[] {
  if (!stored) return ["no attachment in the state"];
  const { status, vdiUuid, insertedVdiUuids } = stored.outputs;
  const isNamed = status === "ready" && insertedVdiUuids.includes(vdiUuid);
  return [
    ...(isNamed ? [] : [`the state is ${status}, and names ${vdiUuid}`]),
    ...(String(now()) === wanted ? [] : [`the drives are ${now().join(", ") || "none"}`]),
  ];
}

/** In what the drives differ from those before the first attach, and marks that were left. */
function drivesLeft(pool: SimulatedPool, vm: VmRecord, before: readonly string[]): string[] {
  const now = drivesOf(pool, vm);
  return [
    ...(String(now) === String(before) ? [] : [`drives ${now.join(", ")} instead of ${before.join(", ")}`]),
    ...Object.keys(vm.otherConfig).map((key) => `other-config:${key} of the VM`),
  ];
}
