import { createHash } from "node:crypto";
import { retry } from "../ssh/retry";
import type { SharedConnection } from "../ssh/shared-connection";
import { vmForget, vmNote, vmNotes } from "../xe/commands";
import { isGone, isRefusedForNow } from "../xe/error";
import { isAnswerLost, runXe, runXeAgain } from "../xe/run";
import type { XeRecord } from "../xe/parse";

/**
 * A note in the VM's other-config of what an attachment does to a drive, written before it does so. If the attachment
 * is killed, the next one of the same resource continues. `xe vbd-create` takes no other-config, so the drive cannot carry it.
 *
 * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_operations.ml vbd_create
 */
export interface DriveMark {
  /** From the URN of the attachment: see {@link ownerOf}. */
  readonly owner: string;
  /** Absent while the drive is being made. */
  readonly vbdUuid?: string;
  readonly isMade: boolean;
  /** The disc that was taken out. */
  readonly replacedVdiUuid?: string;
}

/** Slot of a drive → its mark. */
export type DriveMarks = ReadonlyMap<string, DriveMark>;

const KEY = "pulumi-xen-iso-drive-";
const PATTERN = new RegExp(`(?:^|; )${KEY}(\\d+): (\\S+) (\\S+) (made|found) ([^\\s;]+)`, "g");

/** How long to try to remove a mark. */
const REMOVAL = { firstPauseMs: 500, growth: 1.6, longestPauseMs: 10_000, budgetMs: 60_000 };

/** A URN can hold what separates the entries of a map. */
export function ownerOf(urn: string): string {
  return createHash("sha256").update(urn).digest("hex").slice(0, 16);
}

/** Reads the marks from a record of `vm-list`. */
export function parseMarks(vm: XeRecord): DriveMarks {
  const found = (vm["other-config"] ?? "").matchAll(PATTERN);
  return new Map(
    [...found].map(([, device = "", owner = "", vbdUuid = "", made, replaced = ""]) => [
      device,
      {
        owner,
        ...(vbdUuid !== "new" && { vbdUuid }),
        isMade: made === "made",
        ...(replaced !== "none" && { replacedVdiUuid: replaced }),
      },
    ]),
  );
}

/** Marks a drive, or the slot of one that is about to be made. */
export async function markDrive(
  host: SharedConnection,
  { vmUuid, device }: { vmUuid: string; device: string },
  { owner, vbdUuid = "new", isMade, replacedVdiUuid = "none" }: DriveMark,
): Promise<void> {
  const text = [owner, vbdUuid, isMade ? "made" : "found", replacedVdiUuid].join(" ");
  await runXeAgain(host, vmNote(vmUuid, `${KEY}${device}`, text));
}

/** Removes the mark of a slot, if it is still there: xapi refuses to remove a key that is not. */
export async function unmarkDrive(
  host: SharedConnection,
  { vmUuid, device }: { vmUuid: string; device: string },
): Promise<void> {
  const isPassing = (error: unknown) => isRefusedForNow(error) || isAnswerLost(error);
  try {
    const waitingFor = `${host.address} to take the entry out of the VM`;
    await retry({ ...REMOVAL, waitingFor, isPassing }, async () => {
      const [vm] = await runXeAgain(host, vmNotes(vmUuid));
      if (vm && parseMarks(vm).has(device)) await runXe(host, vmForget(vmUuid, `${KEY}${device}`));
    });
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
