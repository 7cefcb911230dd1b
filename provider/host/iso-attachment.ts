import { retry } from "../ssh/retry";
import type { SharedConnection } from "../ssh/shared-connection";
import { vdiList } from "../xe/commands";
import { isGone, XeError } from "../xe/error";
import { runXeAgain } from "../xe/run";
import {
  destroyDrive,
  type Drive,
  ejectDisc,
  GONE,
  insertDisc,
  isDriveRefused,
  isRunning,
  lookAtDisc,
  lookAtVm,
  makeDrive,
  type Vm,
} from "./drive";
import { type DriveMark, markDrive, ownerOf, unmarkDrive } from "./drive-mark";
import { HostError } from "./error";
import { RollbackIncompleteError, withRollback } from "./rollback";

/** A disc to put into a VM's drive. */
export interface AttachmentRequest {
  /** URN of the resource. */
  readonly owner: string;
  readonly vmUuid: string;
  readonly vdiUuid: string;
  /** The slot. Default: a free CD drive. */
  readonly device?: string | undefined;
  /** Whether to take out a disc that is in the way; {@link detachIso} puts it back. */
  readonly replaceMedia?: boolean | undefined;
  /** Called before the disc counts as inserted; rejects if nobody waits for the result any more. */
  readonly assertWanted: () => Promise<void>;
}

/** What was done to a VM's drive: all that an undo needs. */
export interface Attachment {
  readonly vmUuid: string;
  /** The slot. */
  readonly device: string;
  /** Absent if it is not known whether the drive was made. */
  readonly vbdUuid?: string;
  /** Whether the attachment made the drive. */
  readonly driveCreated: boolean;
  /** The disc that was inserted; several if a failed exchange leaves it in doubt. */
  readonly insertedVdiUuids: readonly string[];
  /** The disc that was taken out. */
  readonly replacedVdiUuid?: string;
}

/** The state of an attachment on the host. */
export type AttachmentCondition =
  /** `vdiUuid` of the disc that is in the drive now; empty if there is none. */
  | { readonly state: "drive"; readonly vdiUuid: string }
  | { readonly state: "no drive" }
  | { readonly state: "no VM" };

/** Inserting a disc failed, and not everything could be undone. */
export class AttachmentIncompleteError extends Error {
  override readonly name = "AttachmentIncompleteError";

  constructor(
    override readonly cause: RollbackIncompleteError,
    /** What may be left on the host. */
    readonly left: Attachment,
  ) {
    super(cause.message);
  }
}

/** How long to retry while somebody else changes the drive, or until xapi has emptied it. */
const CHANGED = { firstPauseMs: 500, growth: 2, longestPauseMs: 10_000, budgetMs: 45_000 };

/** Codes that mean that the drives changed after they were read. */
const CHANGED_CODES = ["VBD_NOT_EMPTY", "DEVICE_ALREADY_EXISTS", "UUID_INVALID", "HANDLE_INVALID"];

/**
 * Puts a disc into a VM's CD drive: the one that had it `before`, else the one in the slot, one that holds it already,
 * or an empty one. A halted VM without a CD drive gets one. A failure undoes what was done.
 *
 * @throws {@link HostError} `VM_NOT_FOUND`, `DISC_NOT_FOUND`, `DRIVE_OCCUPIED`, `NO_DRIVE`, `DISC_IN_USE`
 * @throws `XeError` what the host refuses: `VM_BAD_POWER_STATE` of a suspended VM,
 * `HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN`, `VM_REQUIRES_SR` …
 * @throws {@link AttachmentIncompleteError}
 */
export function attachIso(
  host: SharedConnection,
  request: AttachmentRequest,
  before?: Attachment,
): Promise<Attachment> {
  const isPassing = (error: unknown) => error instanceof XeError && CHANGED_CODES.includes(error.code);
  const waitingFor = `the drives of the VM to stay as they are`;
  return retry({ ...CHANGED, waitingFor, isPassing }, async () => {
    const place = await findPlace(host, request, before);
    return place.drive?.disc?.vdiUuid === request.vdiUuid
      ? recordOf(place, request, before)
      : exchange(host, place, request, before);
  });
}

/**
 * Undoes {@link attachIso}: ejects its disc, puts back the one it took out if that still exists, destroys a drive that
 * it made. Leaves what is gone, or was changed by somebody else, as it is.
 *
 * @returns the drive that had to stay, because its VM runs or somebody else's disc is in it
 * @throws {@link HostError} `DISC_IN_USE`; `XeError` `VM_BAD_POWER_STATE` of a suspended VM
 */
export async function detachIso(
  host: SharedConnection,
  attachment: Attachment,
): Promise<{ leftVbdUuid?: string }> {
  const vm = await lookAtVm(host, attachment.vmUuid);
  if (!vm) return {};
  const drive = vm.drives.find((each) => isDriveOf(attachment, each));
  const left = drive ? await undoDrive(host, vm, drive, attachment) : {};
  const { vmUuid, device, vbdUuid = drive?.vbdUuid } = attachment;
  const mark = vm.marks.get(device);
  // A drive that stays keeps its mark: the next attachment of the resource destroys it then.
  if (mark && !left.leftVbdUuid && isOfDrive(mark, vbdUuid)) await unmarkDrive(host, { vmUuid, device });
  return left;
}

async function undoDrive(
  host: SharedConnection,
  vm: Vm,
  { vbdUuid }: Drive,
  { insertedVdiUuids: vdiUuids, replacedVdiUuid, driveCreated }: Attachment,
): Promise<{ leftVbdUuid?: string }> {
  await ejectDisc(host, vbdUuid, { vdiUuids, vmLabel: vm.label });
  if (replacedVdiUuid) await putBack(host, vbdUuid, replacedVdiUuid);
  if (!driveCreated) return {};
  const disc = await lookAtDisc(host, vbdUuid);
  const isInUse = disc !== undefined && disc.vdiUuid !== GONE;
  return !isInUse && (await destroyDrive(host, vbdUuid)) ? {} : { leftVbdUuid: vbdUuid };
}

/** Reads the drive. */
export async function readAttachment(
  host: SharedConnection,
  attachment: Attachment,
): Promise<AttachmentCondition> {
  const vm = await lookAtVm(host, attachment.vmUuid);
  if (!vm) return { state: "no VM" };
  const drive = vm.drives.find((each) => isDriveOf(attachment, each));
  if (!drive) return { state: "no drive" };
  const vdiUuid = drive.disc?.vdiUuid ?? GONE;
  return { state: "drive", vdiUuid: vdiUuid === GONE ? "" : vdiUuid };
}

/** Where a disc goes: an existing drive, or a slot for a new one. */
interface Place {
  readonly vm: Vm;
  readonly device: string;
  readonly drive?: Drive;
  /** A disc of somebody else that is in the way. */
  readonly replacedVdiUuid?: string;
  /** What a killed attachment of the same resource, or the one `before`, did to the drive. */
  readonly mark?: DriveMark | undefined;
}

async function findPlace(
  host: SharedConnection,
  request: AttachmentRequest,
  before: Attachment | undefined,
): Promise<Place> {
  const [vm, [vdi]] = await Promise.all([
    lookAtVm(host, request.vmUuid),
    runXeAgain(host, vdiList({ uuid: request.vdiUuid })),
  ]);
  if (!vm)
    throw new HostError(
      "VM_NOT_FOUND",
      host.address,
      `There is no VM ${request.vmUuid} in the pool of ${host.address}. ` +
        `Check vmUuid (a template or a snapshot is no VM) and connection.host.`,
    );
  if (!vdi)
    throw new HostError(
      "DISC_NOT_FOUND",
      host.address,
      `There is no disc ${request.vdiUuid} in the pool of ${host.address}. ` +
        `Check vdiUuid, and run \`pulumi refresh\` if it is that of a temporary ISO of this package.`,
    );

  const drive = chooseDrive(host, vm, request, before);
  if (!drive) return { vm, device: request.device ?? freeSlot(host, vm) };
  const { device, disc } = drive;
  const mark = markOf(vm, drive, request.owner);
  const isOurs = disc && [GONE, request.vdiUuid, ...(before?.insertedVdiUuids ?? [])].includes(disc.vdiUuid);
  if (!disc || isOurs) return { vm, device, drive, mark };
  if (request.replaceMedia) return { vm, device, drive, mark, replacedVdiUuid: disc.vdiUuid };
  throw new HostError(
    "DRIVE_OCCUPIED",
    host.address,
    `The CD drive ${device} of ${vm.label} holds the disc ${disc.name} (${disc.vdiUuid}). ` +
      `Eject it, set replaceMedia: true to have it taken out now and put back on delete, or halt the VM and set ` +
      `device to a free slot, in which a second drive is made; guests see "0" to "3" without drivers of their own.`,
  );
}

/** The drive for the disc; undefined if one has to be made. */
function chooseDrive(
  host: SharedConnection,
  vm: Vm,
  { owner, device, vdiUuid }: AttachmentRequest,
  before: Attachment | undefined,
): Drive | undefined {
  const known = vm.drives.find(({ vbdUuid, isCd }) => isCd && vbdUuid === before?.vbdUuid);
  if (known) return known;
  const drives = vm.drives.filter((drive) => (device === undefined ? drive.isCd : drive.device === device));
  const disk = drives.find(({ isCd }) => !isCd);
  if (disk) throw noDrive(host, `Slot ${disk.device} of ${vm.label} has a disk in it. Choose another device`);

  const usable = drives.filter(({ isPlugged }) => isPlugged || !isRunning(vm));
  if (usable.length === 0 && vm.powerState !== "halted")
    throw noDrive(
      host,
      `The ${vm.powerState} ${vm.label} has no CD drive${device === undefined ? "" : ` ${device}`} ` +
        `that it can use now, and gets one only while it is halted. Shut it down`,
    );
  const empty = usable.filter(({ disc }) => !disc);
  return (
    usable.find(({ disc }) => disc?.vdiUuid === vdiUuid) ??
    empty.find((drive) => markOf(vm, drive, owner)) ??
    empty[0] ??
    usable[0]
  );
}

/** What an attachment of this resource has done to a drive. */
function markOf(vm: Vm, { device, vbdUuid }: Drive, owner: string): DriveMark | undefined {
  const mark = vm.marks.get(device);
  return mark?.owner === ownerOf(owner) && isOfDrive(mark, vbdUuid) ? mark : undefined;
}

/** A mark without a drive is that of one whose making was cut off. */
function isOfDrive(mark: DriveMark, vbdUuid: string | undefined): boolean {
  return mark.vbdUuid === undefined || mark.vbdUuid === vbdUuid;
}

/** The slot of a new CD drive: 3 as in the templates, or another one that every guest sees. */
function freeSlot(host: SharedConnection, vm: Vm): string {
  const taken = vm.drives.map(({ device }) => device);
  const free = ["3", "2", "1", "0"].find((slot) => !taken.includes(slot));
  if (free) return free;
  throw noDrive(
    host,
    `${vm.label} has no CD drive, and its slots 0 to 3 are taken. Free one, or choose another device`,
  );
}

function noDrive(host: SharedConnection, what: string): HostError {
  return new HostError("NO_DRIVE", host.address, `${what}, then run the command again.`);
}

/** Ejects what is in the drive, and inserts the disc. A detach undoes it. */
async function exchange(
  host: SharedConnection,
  place: Place,
  { owner: urn, vdiUuid, assertWanted }: AttachmentRequest,
  before: Attachment | undefined,
): Promise<Attachment> {
  const { vm, device, drive, mark, replacedVdiUuid } = place;
  const slot = { vmUuid: vm.uuid, device };
  const owner = ownerOf(urn);
  const disc = drive?.disc;
  let vbdUuid = drive?.vbdUuid;
  let mayHaveDrive = false;
  const done = (): Attachment => ({
    vmUuid: vm.uuid,
    device,
    ...(vbdUuid && { vbdUuid }),
    driveCreated: mayHaveDrive,
    insertedVdiUuids: [vdiUuid],
    ...(disc && disc.vdiUuid !== GONE && { replacedVdiUuid: disc.vdiUuid }),
  });
  try {
    return await withRollback(async (undo) => {
      const isMarked = !vbdUuid || replacedVdiUuid !== undefined;
      undo(`what was done to CD drive ${device} of ${vm.label}`, async () => {
        const now = await lookAtVm(host, vm.uuid);
        const used = now?.drives.find((each) => isDriveOf(done(), each));
        if (now && used) await undoDrive(host, now, used, done());
        if (now && isMarked) await (mark ? markDrive(host, slot, mark) : unmarkDrive(host, slot));
      });
      if (vbdUuid && replacedVdiUuid) {
        const isMade = recordOf(place, { vdiUuid }, before).driveCreated;
        await markDrive(host, slot, { owner, vbdUuid, isMade, replacedVdiUuid });
      }
      if (!vbdUuid) {
        await markDrive(host, slot, { owner, isMade: true });
        mayHaveDrive = true;
        vbdUuid = await makeDrive(host, vm.uuid, device).catch((error: unknown) => {
          mayHaveDrive = !isDriveRefused(error);
          throw error;
        });
        await markDrive(host, slot, { owner, vbdUuid, isMade: true });
      }
      if (disc) await ejectDisc(host, vbdUuid, { vdiUuids: [disc.vdiUuid], vmLabel: vm.label });
      await insertDisc(host, vbdUuid, vdiUuid);
      await assertWanted();
      return {
        ...recordOf(place, { vdiUuid }, before),
        vbdUuid,
        ...(mayHaveDrive && { driveCreated: true }),
      };
    });
  } catch (error) {
    if (!(error instanceof RollbackIncompleteError)) throw error;
    const record = recordOf(place, { vdiUuid }, before);
    throw new AttachmentIncompleteError(error, {
      ...record,
      ...(vbdUuid && { vbdUuid }),
      driveCreated: record.driveCreated || mayHaveDrive,
      insertedVdiUuids: [...(before?.insertedVdiUuids ?? []), vdiUuid],
    });
  }
}

/** Records the disc that is now in the drive. */
function recordOf(
  { vm, device, drive, replacedVdiUuid, mark }: Place,
  { vdiUuid }: Pick<AttachmentRequest, "vdiUuid">,
  before: Attachment | undefined,
): Attachment {
  const isSameDrive = drive !== undefined && drive.vbdUuid === before?.vbdUuid;
  const known = isSameDrive ? before.replacedVdiUuid : undefined;
  const toPutBack = replacedVdiUuid ?? known ?? mark?.replacedVdiUuid;
  return {
    vmUuid: vm.uuid,
    device,
    ...(drive && { vbdUuid: drive.vbdUuid }),
    driveCreated: (isSameDrive && before.driveCreated) || (mark?.isMade ?? false),
    insertedVdiUuids: [vdiUuid],
    ...(toPutBack && { replacedVdiUuid: toPutBack }),
  };
}

/** If the UUID of a new drive never arrived, its slot finds it. */
function isDriveOf({ vbdUuid, device, driveCreated }: Attachment, drive: Drive): boolean {
  if (vbdUuid !== undefined) return drive.vbdUuid === vbdUuid;
  return driveCreated && drive.isCd && drive.device === device;
}

/** Puts a disc back where it was, unless it is gone or another one is in the drive now. */
async function putBack(host: SharedConnection, vbdUuid: string, vdiUuid: string): Promise<void> {
  try {
    await insertDisc(host, vbdUuid, vdiUuid);
  } catch (error) {
    const isTaken = error instanceof XeError && error.code === "VBD_NOT_EMPTY";
    if (!isGone(error) && !isTaken) throw error;
  }
}
