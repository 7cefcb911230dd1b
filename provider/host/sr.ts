import { retry } from "../ssh/retry";
import type { SharedConnection } from "../ssh/shared-connection";
import {
  pbdList,
  pbdUnplug,
  srForget,
  srList,
  srSetDescription,
  taskList,
  vbdEject,
  vbdList,
  vdiList,
  vmList,
} from "../xe/commands";
import { isGone, isPluggedAgain, isTrayLocked, XeError } from "../xe/error";
import type { XeRecord } from "../xe/parse";
import { runXeAgain } from "../xe/run";
import { HostError } from "./error";
import { type Folder, pathOf } from "./folder";
import { nameDescriptionOf, parseNameDescription } from "./name-description";
import { report } from "./progress";

/** How long to look for the SR of an unanswered sr-create. The storage manager can take minutes. */
const LOST = { firstPauseMs: 2_000, growth: 1.5, longestPauseMs: 15_000, budgetMs: 10 * 60_000 };

/** A toolstack that starts between unplug and forget plugs the PBD again. */
const PLUGGED_AGAIN = { firstPauseMs: 250, growth: 2, longestPauseMs: 2_000, attempts: 4 };

/** How long a guest may keep its tray locked. */
export const EJECT = { firstPauseMs: 1_000, growth: 1.5, longestPauseMs: 10_000, budgetMs: 60_000 };

/**
 * Looks for the SR of an unanswered sr-create, which may exist or may still be made. Gives up when two looks
 * found nothing and the SR.create calls that were pending at first have ended.
 *
 * @returns its UUID, or undefined
 */
export async function findLostSr(host: SharedConnection, folder: Folder): Promise<string | undefined> {
  const begun = await pendingCreates(host);
  let emptyLooks = 0;
  const isPassing = (error: unknown) => error === NOT_YET;
  const waitingFor = `${host.address} to end an sr-create whose reply was lost`;
  return retry({ ...LOST, waitingFor, isPassing }, async () => {
    const [srUuid] = await findSrs(host, folder);
    if (srUuid) return srUuid;
    const pending = await pendingCreates(host);
    if (begun.some((task) => pending.includes(task)) || ++emptyLooks < 2) throw NOT_YET;
    return undefined;
  });
}

const NOT_YET = new Error("An SR may still come of a call that was not answered.");

async function pendingCreates(host: SharedConnection): Promise<string[]> {
  const tasks = await runXeAgain(host, taskList({ "name-label": "SR.create", status: "pending" }));
  return tasks.map((task) => field(task, "uuid"));
}

/**
 * The SRs made from a folder: found by the location of their PBDs or, if a crash left no PBD, by the folder in
 * their description. The URN in the description may be an older one of the same resource.
 *
 * @returns their UUIDs
 */
export async function findSrs(host: SharedConnection, folder: Folder): Promise<string[]> {
  const [pbds, srs] = await Promise.all([
    runXeAgain(host, pbdList({ "device-config:location": pathOf(folder) })),
    runXeAgain(host, srList({})),
  ]);
  const described = srs.filter(
    (sr) => parseNameDescription(sr["name-description"] ?? "")?.folderUuid === folder.uuid,
  );
  return [
    ...new Set([...pbds.map((pbd) => field(pbd, "sr-uuid")), ...described.map((sr) => field(sr, "uuid"))]),
  ];
}

/**
 * Puts another URN into the description of an SR. It is for people only, so a host that cannot do it now is not
 * a failure.
 */
export async function describeSr(
  host: SharedConnection,
  srUuid: string,
  { owner, folder }: { owner: string; folder: Folder },
): Promise<void> {
  try {
    await runXeAgain(host, srSetDescription(srUuid, nameDescriptionOf(owner, folder.uuid)));
  } catch (error) {
    if (!(error instanceof XeError)) throw error;
  }
}

/** The PBDs and VDIs that an SR has now: a host that joins a pool gets new PBDs. */
export async function lookAtSr(host: SharedConnection, srUuid: string) {
  const [srs, pbds, vdis] = await Promise.all([
    runXeAgain(host, srList({ uuid: srUuid })),
    runXeAgain(host, pbdList({ "sr-uuid": srUuid })),
    runXeAgain(host, vdiList({ "sr-uuid": srUuid })),
  ]);
  return { isThere: srs.length > 0, description: srs[0]?.["name-description"] ?? "", pbds, vdis };
}

/**
 * Removes every record of an SR: ejects its discs, unplugs its PBDs, forgets it (sr-destroy would refuse:
 * SR_NOT_EMPTY). Succeeds if it is gone already.
 *
 * @throws {@link HostError} `DISC_IN_USE`, before anything is changed where that can be known
 */
export async function forgetSr(host: SharedConnection, srUuid: string): Promise<void> {
  const { pbds, vdis } = await lookAtSr(host, srUuid);
  const isAttached = pbds.some((pbd) => pbd["currently-attached"] === "true");
  await ejectEverywhere(
    host,
    vdis.map((vdi) => field(vdi, "uuid")),
    { isAttached },
  );
  const unplug = (which: readonly XeRecord[]) =>
    Promise.all(which.map((pbd) => unlessGone(runXeAgain(host, pbdUnplug(field(pbd, "uuid"))))));
  // xapi refuses to unplug a PBD of a host that is offline, even if it is not plugged.
  let plugged = pbds.filter((pbd) => pbd["currently-attached"] === "true");
  const waitingFor = `the toolstack of ${host.address} to leave the SR unplugged`;
  await retry({ ...PLUGGED_AGAIN, waitingFor, isPassing: isPluggedAgain }, async () => {
    await unplug(plugged);
    plugged = [...pbds];
    await unlessGone(runXeAgain(host, srForget(srUuid)));
  });
}

/** A drive with the disc in it, and the VM that has the drive. */
interface Holder {
  readonly vbdUuid: string;
  readonly isDrive: boolean;
  /** For messages: `VM web-1 (<uuid>)`. */
  readonly vm: string;
  readonly vmName: string;
  readonly powerState: string;
}

async function ejectEverywhere(
  host: SharedConnection,
  vdiUuids: readonly string[],
  sr: { isAttached: boolean },
) {
  const holders = (await Promise.all(vdiUuids.map((vdiUuid) => findHolders(host, vdiUuid)))).flat();
  const disk = holders.find(({ isDrive }) => !isDrive);
  if (disk)
    throw inUse(
      host,
      `is attached to ${disk.vm} as a disk, which cannot be ejected. Detach it there (\`xe vbd-unplug\`, \`xe vbd-destroy uuid=${disk.vbdUuid}\`)`,
    );
  const suspended = holders.find(({ powerState }) => powerState === "suspended");
  // Without its disc the VM could not resume. If the SR is not attached, the disc is gone anyway, and only
  // forgetting the SR helps.
  if (suspended && sr.isAttached)
    throw inUse(host, `is in the drive of the suspended ${suspended.vm}. Resume it or shut it down`);
  const ejectable = holders.filter(({ powerState }) => powerState !== "suspended");
  await Promise.all(ejectable.map((holder) => eject(host, holder)));
}

async function findHolders(host: SharedConnection, vdiUuid: string): Promise<Holder[]> {
  const vbds = await runXeAgain(host, vbdList({ "vdi-uuid": vdiUuid }));
  const holders = vbds.map(async (vbd): Promise<Holder | undefined> => {
    const vmUuid = field(vbd, "vm-uuid");
    const [vm] = await runXeAgain(host, vmList({ uuid: vmUuid }));
    // Not in vm-list, so a snapshot or a template. Its drive does not keep the PBD plugged.
    if (!vm) return undefined;
    return {
      vbdUuid: field(vbd, "uuid"),
      isDrive: vbd["type"] === "CD",
      vm: `VM ${vm["name-label"]} (${vmUuid})`,
      vmName: vm["name-label"] ?? vmUuid,
      powerState: field(vm, "power-state"),
    };
  });
  return (await Promise.all(holders)).filter((holder) => holder !== undefined);
}

async function eject(host: SharedConnection, { vbdUuid, vm, vmName }: Holder): Promise<void> {
  report({ step: "ejecting", holder: vmName });
  try {
    const waitingFor = `${vmName} to release the disc`;
    await retry({ ...EJECT, waitingFor, isPassing: isTrayLocked }, () => runXeAgain(host, vbdEject(vbdUuid)));
  } catch (error) {
    if (isGone(error) || (error instanceof XeError && error.code === "VBD_IS_EMPTY")) return;
    if (isTrayLocked(error))
      throw inUse(host, `is held by ${vm}. Eject it in the guest or shut the VM down`, error);
    throw error;
  }
}

/** Succeeds if the object is gone already. */
export async function unlessGone(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
}

/** The folder that a PBD attaches, if it has that UUID for its name: `location: /var/opt/xen-iso/<uuid>; …`. */
export function locationOf(pbd: XeRecord, folderUuid: string): string | undefined {
  const config = pbd["device-config"] ?? "";
  return new RegExp(`(?:^|; )location: (/.*/${folderUuid})(?:; |$)`).exec(config)?.[1];
}

/** A field that `xe` prints of every record. */
export function field(record: XeRecord, name: string): string {
  const value = record[name];
  if (value === undefined) throw new TypeError(`xe printed no field ${name}.`);
  return value;
}

function inUse(host: SharedConnection, holder: string, cause?: unknown): HostError {
  const message = `The disc ${holder}, then run the command again. Nothing was removed from ${host.address}.`;
  return new HostError("DISC_IN_USE", host.address, message, { cause });
}
