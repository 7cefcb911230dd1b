import { isoAttachment } from "../../provider/lifecycle/provider";
import type { IsoAttachmentState } from "../../provider/lifecycle/iso-attachment";
import type { NewVm, SimulatedPool, VbdRecord, VmRecord } from "../simulator";
import { argumentsFor } from "./resource";

/** A VM of the pool, and the first of its drives. */
export function addVm(
  pool: SimulatedPool,
  vm: Partial<NewVm> = {},
): { vm: VmRecord; drive: VbdRecord | undefined } {
  const { vm: record, drives } = pool.xapi.addVm({ name: "web-1", ...vm });
  return { vm: record, drive: drives[0] };
}

/** The CD drives of a VM: `3: a.iso` or `3: empty`. */
export function drivesOf(pool: SimulatedPool, vm: VmRecord): string[] {
  const nameOf = (vdiUuid: string | undefined) =>
    pool.xapi.vdis.find(({ uuid }) => uuid === vdiUuid)?.nameLabel;
  return pool.xapi
    .vbdsOf(vm.uuid)
    .filter(({ type }) => type === "CD")
    .map(
      ({ userdevice, empty, vdiUuid }) => `${userdevice}: ${empty ? "empty" : (nameOf(vdiUuid) ?? "gone")}`,
    );
}

/** The arguments of an attachment on the pool's first host, as the class passes them on. */
export function attachmentArguments(
  pool: SimulatedPool,
  args: { vmUuid: string; vdiUuid: string | undefined } & Record<string, unknown>,
): Record<string, unknown> {
  const { connection } = argumentsFor(pool.coordinator);
  const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:IsoAttachment::web-1-cd";
  return { owner, connection, ...args };
}

/** What the engine does for a new attachment: check, then create. */
export async function attach(
  args: Record<string, unknown>,
): Promise<{ id: string; state: IsoAttachmentState }> {
  const { id, outs } = await isoAttachment.create(await checkedAttachment(args));
  if (!outs) throw new Error("The create returned no outputs.");
  return { id, state: outs };
}

/** What the engine does for one that is there: check and diff, then update where that says so. */
export async function change(
  { id, state }: { id: string; state: IsoAttachmentState },
  args: Record<string, unknown>,
): Promise<{ changes: boolean; replaces: readonly string[]; state: IsoAttachmentState }> {
  const news = await checkedAttachment(args);
  const { changes = false, replaces = [] } = await isoAttachment.diff(id, state, news);
  if (!changes || replaces.length > 0) return { changes, replaces, state };
  const { outs } = await isoAttachment.update(id, state, news);
  if (!outs) throw new Error("The update returned no outputs.");
  return { changes, replaces, state: outs };
}

export const readAttachment = (id: string, state: IsoAttachmentState) => isoAttachment.read(id, state);

export const detach = (state: IsoAttachmentState) => isoAttachment.delete("", state);

async function checkedAttachment(args: Record<string, unknown>): Promise<never> {
  const { inputs, failures } = await isoAttachment.check({}, args);
  if (failures?.length) throw new Error(failures.map(({ reason }) => reason).join("\n"));
  return inputs as never;
}
