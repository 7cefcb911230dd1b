import { setTimeout as sleep } from "node:timers/promises";
import { retry } from "../ssh/retry";
import type { SharedConnection } from "../ssh/shared-connection";
import { vbdCreate, vbdDestroy, vbdEject, vbdInsert, vbdList, vmNotes } from "../xe/commands";
import { isGone, isRefusedForNow, isTrayLocked, XeError } from "../xe/error";
import type { XeRecord } from "../xe/parse";
import { isAnswerLost, mayBeDone, runXe, runXeAgain } from "../xe/run";
import { type DriveMarks, parseMarks } from "./drive-mark";
import { HostError } from "./error";
import { report } from "./progress";
import { EJECT, field, unlessGone } from "./sr";

/** A VM and its drives. */
export interface Vm {
  readonly uuid: string;
  /** For messages: `VM web-1 (<uuid>)`. */
  readonly label: string;
  /** `running`, `paused`, `halted` or `suspended`. */
  readonly powerState: string;
  readonly drives: readonly Drive[];
  /** What attachments have done to its drives. */
  readonly marks: DriveMarks;
}

/** A VBD: a CD drive, or a disk. */
export interface Drive {
  readonly vbdUuid: string;
  /** Its slot, `userdevice`: `3`. */
  readonly device: string;
  readonly isCd: boolean;
  /** Whether a running VM sees it. It does not see a drive that was added since it started. */
  readonly isPlugged: boolean;
  /** Absent if it is empty. */
  readonly disc?: Disc;
}

/** What is in a drive. */
export interface Disc {
  /** {@link GONE} after its SR was forgotten: xapi empties the drive within 30 s. */
  readonly vdiUuid: string;
  readonly name: string;
}

/** What `xe` prints for a disc that no longer exists. */
export const GONE = "<not in database>";

/** How long to repeat vbd-create after a lost reply. */
const MAKE = { firstPauseMs: 500, growth: 1.6, longestPauseMs: 10_000, budgetMs: 60_000 };

/** How long an eject is given to end on a host to which the link was lost. One that takes longer still ejects the next disc. */
const LATE_MS = 2_000;

/** The VM as it is now; undefined if there is none. Ignores templates and snapshots. */
export async function lookAtVm(host: SharedConnection, vmUuid: string): Promise<Vm | undefined> {
  const [[vm], vbds] = await Promise.all([
    runXeAgain(host, vmNotes(vmUuid)),
    runXeAgain(host, vbdList({ "vm-uuid": vmUuid })),
  ]);
  if (!vm) return undefined;
  return {
    uuid: vmUuid,
    label: `VM ${field(vm, "name-label")} (${vmUuid})`,
    powerState: field(vm, "power-state"),
    drives: vbds.map(toDrive),
    marks: parseMarks(vm),
  };
}

/** Whether the VM has a domain. A domain knows only the drives that it was started with. */
export function isRunning({ powerState }: Vm): boolean {
  return powerState === "running" || powerState === "paused";
}

/**
 * Makes an empty CD drive exactly once: after a lost reply, looks for the drive in its slot.
 *
 * @returns its UUID
 * @throws {@link XeError} `DEVICE_ALREADY_EXISTS` when the slot is taken
 */
export async function makeDrive(host: SharedConnection, vmUuid: string, device: string): Promise<string> {
  let mayBeThere = false;
  const isPassing = (error: unknown) =>
    isRefusedForNow(error) || isAnswerLost(error) || (mayBeThere && isSlotTaken(error));
  const waitingFor = `${host.address} to make the CD drive`;
  return retry({ ...MAKE, waitingFor, isPassing }, async () => {
    if (mayBeThere) {
      const vm = await lookAtVm(host, vmUuid);
      const made = vm?.drives.find((drive) => drive.device === device && drive.isCd);
      if (made) return made.vbdUuid;
    }
    try {
      return await runXe(host, vbdCreate({ vmUuid, device }));
    } catch (error) {
      mayBeThere ||= mayBeDone(error);
      throw error;
    }
  });
}

/** Whether xapi refused vbd-create, so that no drive of ours exists. */
export function isDriveRefused(error: unknown): boolean {
  return error instanceof XeError && error.command === "vbd-create" && !mayBeDone(error);
}

/**
 * Removes a drive.
 *
 * @returns false when it has to stay: a VM that runs keeps it until it is shut down
 */
export async function destroyDrive(host: SharedConnection, vbdUuid: string): Promise<boolean> {
  try {
    await unlessGone(runXeAgain(host, vbdDestroy(vbdUuid)));
    return true;
  } catch (error) {
    if (error instanceof XeError && error.code === "OPERATION_NOT_ALLOWED") return false;
    throw error;
  }
}

/**
 * Puts a disc into an empty drive. Succeeds if the disc is already there, for instance after a lost reply.
 *
 * @throws {@link XeError} `VBD_NOT_EMPTY` when another one is
 */
export async function insertDisc(host: SharedConnection, vbdUuid: string, vdiUuid: string): Promise<void> {
  try {
    await runXeAgain(host, vbdInsert({ vbdUuid, vdiUuid }));
  } catch (error) {
    if (!(error instanceof XeError) || error.code !== "VBD_NOT_EMPTY") throw error;
    if ((await lookAtDisc(host, vbdUuid))?.vdiUuid !== vdiUuid) throw error;
  }
}

/**
 * Ejects the disc from a drive if it is one of these. Retries for a while if the guest holds the disc.
 *
 * @param vmLabel for messages
 * @throws {@link HostError} `DISC_IN_USE`
 */
export async function ejectDisc(
  host: SharedConnection,
  vbdUuid: string,
  { vdiUuids, vmLabel }: { vdiUuids: readonly string[]; vmLabel: string },
): Promise<void> {
  let isLost = false;
  const isPassing = (error: unknown) => {
    isLost = isAnswerLost(error);
    return isLost || isTrayLocked(error) || isRefusedForNow(error);
  };
  try {
    const waitingFor = `${vmLabel} to release the disc`;
    await retry({ ...EJECT, waitingFor, isPassing }, async () => {
      // The lost command may still run. Ending after the next one, it would eject the disc that is inserted then.
      if (isLost) await sleep(LATE_MS);
      // Read again before each try: the guest may have released the disc, or somebody may have inserted
      // another.
      const disc = await lookAtDisc(host, vbdUuid);
      if (!disc || !vdiUuids.includes(disc.vdiUuid)) return;
      report({ step: "ejecting", holder: vmLabel });
      await runXe(host, vbdEject(vbdUuid));
    });
  } catch (error) {
    if (isGone(error) || (error instanceof XeError && error.code === "VBD_IS_EMPTY")) return;
    if (!isTrayLocked(error)) throw error;
    const message =
      `The disc in the CD drive of ${vmLabel} is held by the guest. ` +
      `Eject it in the guest or shut the VM down, then run the command again.`;
    throw new HostError("DISC_IN_USE", host.address, message, { cause: error });
  }
}

/** The disc in a drive; undefined if the drive is empty or does not exist. */
export async function lookAtDisc(host: SharedConnection, vbdUuid: string): Promise<Disc | undefined> {
  const [vbd] = await runXeAgain(host, vbdList({ uuid: vbdUuid }));
  return vbd && toDrive(vbd).disc;
}

function toDrive(vbd: XeRecord): Drive {
  const disc = { vdiUuid: field(vbd, "vdi-uuid"), name: field(vbd, "vdi-name-label") };
  return {
    vbdUuid: field(vbd, "uuid"),
    device: field(vbd, "userdevice"),
    isCd: field(vbd, "type") === "CD",
    isPlugged: field(vbd, "currently-attached") === "true",
    ...(field(vbd, "empty") === "true" ? {} : { disc }),
  };
}

function isSlotTaken(error: unknown): boolean {
  return error instanceof XeError && error.code === "DEVICE_ALREADY_EXISTS";
}
