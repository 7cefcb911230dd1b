import { retry } from "../ssh/retry";
import type { SharedConnection } from "../ssh/shared-connection";
import {
  pbdList,
  pbdPlug,
  pbdUnplug,
  srCreate,
  srForget,
  srList,
  srScan,
  taskList,
  vbdEject,
  vbdList,
  vdiList,
  vmList,
  type IsoSr,
} from "../xe/commands";
import { isGone, isRefusedForNow, isTrayLocked, XeError } from "../xe/error";
import type { XeRecord } from "../xe/parse";
import { isAnswerLost, runXe, runXeAgain } from "../xe/run";
import { HostError } from "./error";

/**
 * How long PBD and VDI are looked for. The coordinator scans by itself every 30 s, so a VDI that our own scan
 * did not yield comes late.
 */
const DISCOVERY = { firstPauseMs: 250, growth: 1.6, longestPauseMs: 5_000, budgetMs: 60_000 };

/** How long sr-create is tried while the toolstack starts. */
const REFUSED = { firstPauseMs: 500, growth: 1.6, longestPauseMs: 10_000, budgetMs: 60_000 };

/** How long an SR is looked for whose sr-create was not answered; sm may be minutes at it. */
const LOST = { firstPauseMs: 2_000, growth: 1.5, longestPauseMs: 15_000, budgetMs: 10 * 60_000 };

/** How long a guest may hold its tray locked. */
const EJECT = { firstPauseMs: 1_000, growth: 1.5, longestPauseMs: 10_000, budgetMs: 60_000 };

/**
 * Makes a folder an ISO SR of its host, once. Where the answer got lost it may be there, or may still come:
 * then it is looked for by its folder, until it is there, or twice nothing was there and nobody makes it any
 * more.
 *
 * @returns its UUID
 * @throws {@link XeError} for instance `SR_BACKEND_FAILURE_226` if the folder is not there
 * @see xapi-project/sm: libs/sm/drivers/ISOSR.py
 */
export async function createSr(host: SharedConnection, sr: IsoSr): Promise<string> {
  try {
    return await retry({ ...REFUSED, isPassing: isRefusedForNow }, () => runXe(host, srCreate(sr)));
  } catch (error) {
    if (!isAnswerLost(error)) throw error;
    let emptyLooks = 0;
    const found = await retry({ ...LOST, isPassing: (again) => again === error }, async () => {
      const [srUuid] = await findSrs(host, sr);
      if (srUuid) return srUuid;
      const pending = await runXeAgain(host, taskList({ "name-label": "SR.create", status: "pending" }));
      if (pending.length > 0 || ++emptyLooks < 2) throw error;
      return undefined;
    });
    if (found) return found;
    throw error;
  }
}

/** Whether sr-create failed and said so: then xapi has taken back its records. */
export function isRefusal(error: unknown): boolean {
  return error instanceof XeError && error.command === "sr-create" && !isAnswerLost(error);
}

/**
 * Finds what xapi made of a folder that became an SR: its one PBD, plugged, and the one VDI of that name.
 *
 * @throws {@link HostError} `NOT_FOUND_IN_TIME`
 * @throws {@link XeError} the real error of a plug that failed
 */
export async function discover(
  host: SharedConnection,
  srUuid: string,
  isoName: string,
): Promise<{ pbdUuid: string; vdiUuid: string }> {
  const plugged = new Set<string>();
  return retry({ ...DISCOVERY, isPassing: isNotFoundYet }, async () => {
    const pbd = only(await runXeAgain(host, pbdList({ "sr-uuid": srUuid })), "PBD", host);
    const pbdUuid = field(pbd, "uuid");
    // sr-create does not say that the plug failed; asking once more yields the real error.
    if (pbd["currently-attached"] !== "true" && !plugged.has(pbdUuid)) {
      plugged.add(pbdUuid);
      await runXeAgain(host, pbdPlug(pbdUuid));
    }
    await runXeAgain(host, srScan(srUuid));
    const vdis = await runXeAgain(host, vdiList({ "sr-uuid": srUuid, "name-label": isoName }));
    return { pbdUuid, vdiUuid: field(only(vdis, "VDI", host), "uuid") };
  });
}

/** The SRs made of a folder: by its PBDs, and, where a crash left an SR without PBD, by its description. */
export async function findSrs(host: SharedConnection, sr: { location: string; nameDescription: string }) {
  const [pbds, srs] = await Promise.all([
    runXeAgain(host, pbdList({ "device-config:location": sr.location })),
    runXeAgain(host, srList({ "name-description": sr.nameDescription })),
  ]);
  return [
    ...new Set([...pbds.map((pbd) => field(pbd, "sr-uuid")), ...srs.map((found) => field(found, "uuid"))]),
  ];
}

/** The PBDs and VDIs of an SR as they are now: joining a pool makes new PBDs. */
export async function lookAtSr(host: SharedConnection, srUuid: string) {
  const [srs, pbds, vdis] = await Promise.all([
    runXeAgain(host, srList({ uuid: srUuid })),
    runXeAgain(host, pbdList({ "sr-uuid": srUuid })),
    runXeAgain(host, vdiList({ "sr-uuid": srUuid })),
  ]);
  return { isThere: srs.length > 0, pbds, vdis };
}

/**
 * Takes an SR away with nothing left of its records: its discs are ejected, its PBDs unplugged, then it is
 * forgotten (sr-destroy would refuse: SR_NOT_EMPTY). Nothing to do when it is gone.
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
  await Promise.all(pbds.map((pbd) => unlessGone(runXeAgain(host, pbdUnplug(field(pbd, "uuid"))))));
  await unlessGone(runXeAgain(host, srForget(srUuid)));
}

/** A drive with the disc in it, and the VM that has the drive. */
interface Holder {
  readonly vbdUuid: string;
  readonly isDrive: boolean;
  readonly vm: string;
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
  // Without its disc it could not resume. The disc of an SR that is not attached is lost to it in any case, and
  // to forget that SR is the only way out.
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
    // Not in vm-list: a snapshot or a template. Its drive does not keep the PBD plugged.
    if (!vm) return undefined;
    return {
      vbdUuid: field(vbd, "uuid"),
      isDrive: vbd["type"] === "CD",
      vm: `VM ${vm["name-label"]} (${vmUuid})`,
      powerState: field(vm, "power-state"),
    };
  });
  return (await Promise.all(holders)).filter((holder) => holder !== undefined);
}

async function eject(host: SharedConnection, { vbdUuid, vm }: Holder): Promise<void> {
  try {
    await retry({ ...EJECT, isPassing: isTrayLocked }, () => runXeAgain(host, vbdEject(vbdUuid)));
  } catch (error) {
    if (isGone(error) || (error instanceof XeError && error.code === "VBD_IS_EMPTY")) return;
    if (isTrayLocked(error))
      throw inUse(host, `is held by ${vm}. Eject it in the guest or shut the VM down`, error);
    throw error;
  }
}

/** Succeeds when the object is gone already. */
async function unlessGone(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
}

function isNotFoundYet(error: unknown): boolean {
  return error instanceof HostError && error.code === "NOT_FOUND_IN_TIME";
}

function only(records: readonly XeRecord[], kind: "PBD" | "VDI", host: SharedConnection): XeRecord {
  const [record] = records;
  if (record && records.length === 1) return record;
  const message =
    `The storage repository made on ${host.address} has ${records.length} ${kind}s instead of one. ` +
    `Check /var/log/SMlog on the host, then run the command again.`;
  throw new HostError("NOT_FOUND_IN_TIME", host.address, message);
}

function field(record: XeRecord, name: string): string {
  const value = record[name];
  if (value === undefined) throw new TypeError(`xe printed no field ${name}.`);
  return value;
}

function inUse(host: SharedConnection, holder: string, cause?: unknown): HostError {
  const message = `The disc ${holder}, then run the command again. Nothing was removed from ${host.address}.`;
  return new HostError("DISC_IN_USE", host.address, message, { cause });
}
