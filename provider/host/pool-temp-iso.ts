import { retry } from "../ssh/retry";
import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { pbdList, pbdPlug, srCreate, srScan, vdiList } from "../xe/commands";
import { XeError, xeErrorOf } from "../xe/error";
import { runXeAgain } from "../xe/run";
import { HostError } from "./error";
import { type Folder, folderAt, lookAtFolder, pathOf, removeFolder, removeMarker, takeOver } from "./folder";
import { imageFailed } from "./image";
import { copyOwner } from "./marker";
import type { KnownPlan } from "./plan";
import { onAll, onEach, type Pool, type PoolHost, type PoolMember, whileLeasedOnAll } from "./pool";
import { putImage } from "./pool-image";
import { AbandonedError, clearFolder, onceOwnerIsDone } from "./prepare";
import { report } from "./progress";
import { EXIT, valueOf } from "./protocol";
import { remote } from "./remote";
import { withRollback } from "./rollback";
import { field, findLostSr, findSrs, forgetSr, lookAtSr } from "./sr";
import { nameDescriptionOf, parseNameDescription } from "./name-description";
import { describeTempIso, forgetSrOf, isSrRefused, resuming, type TempIso } from "./temp-iso";

/** What a create has made, each a UUID. */
export interface MadePoolTempIso {
  readonly srUuid: string;
  readonly vdiUuid: string;
  readonly pbdUuids: PbdUuids;
}

/** UUID of a host → UUID of its PBD. */
export type PbdUuids = ReadonlyMap<string, string>;

/** What a pool still has of a temporary ISO. */
export interface PoolTempIsoCondition {
  /**
   * `partial` if a host that is up lacks it; `lost` if no host has the image, or half of it is gone everywhere;
   * `released` if its release was cut off.
   */
  readonly state: "ready" | "partial" | "lost" | "released" | "gone";
  readonly pbdUuids: PbdUuids;
  /** UUIDs of the hosts that lack it: the image, the plugged PBD, or both. */
  readonly lacking: readonly string[];
  /** UUIDs of those that have the image and lack only the plugged PBD. */
  readonly unplugged: readonly string[];
}

/**
 * Makes a temporary ISO on every host of a pool: the same folder with the image on each, then one shared SR of
 * these folders. If a step fails on any host, the steps before it are undone on all.
 *
 * @throws `HostError`, `XeError`, `SshError`; `RollbackIncompleteError` when something had to stay
 */
export function createPoolTempIso(pool: Pool, plan: KnownPlan): Promise<MadePoolTempIso> {
  const { speaker, members } = pool;
  const { folder, isoName } = plan;
  return withRollback((undo) =>
    whileLeasedOnAll(members, folder, async () => {
      undo(`the folder ${pathOf(folder)} on each host`, () => removeFolders(members, folder, isoName));
      await afterOthersOf(pool, plan, () => putImage(members, plan));
      // Every host now has the image.

      undo(`the SR of ${pathOf(folder)}`, (cause) => forgetSrOrUnmark(pool, plan, cause));
      const srUuid = await makeSharedSr(speaker, plan);
      // The pool now has the SR, with a PBD for each host.
      const pbdUuids = await plugOnEach(speaker, members, srUuid);
      const vdiUuid = await scanForDisc(speaker, srUuid, isoName);
      // Every host can now give the disc to its VMs.

      await plan.assertWanted();
      await removeMarkers(members, folder);
      // The engine may have ended meanwhile: then nobody would store the disc, and nothing marks it any more.
      await plan.assertWanted();
      return { srUuid, vdiUuid, pbdUuids };
    }),
  );
}

/**
 * Copies the image of a temporary ISO to hosts that lack it, then plugs their PBDs. SR and VDI stay. A host whose plug
 * fails keeps its copy: the next start of its toolstack plugs it.
 *
 * @param lacking hosts of the pool; a folder of the disc's that they have is made anew
 * @throws as {@link createPoolTempIso}
 */
export async function copyPoolTempIso(
  speaker: SharedConnection,
  lacking: readonly PoolMember[],
  { srUuid, plan }: { srUuid: string; plan: KnownPlan },
): Promise<void> {
  const { folder, isoName } = plan;
  const copy = { ...plan, ...copyOwner(plan) };
  // Before the markers are renewed: a marker that another copy left must not be taken for this one's.
  await onceOwnerIsDone(() => onEach(lacking, ({ host }) => clearFolder(host, folder, copy)));
  await withRollback((undo) =>
    whileLeasedOnAll(lacking, folder, async () => {
      undo(`the folder ${pathOf(folder)}`, () => removeFolders(lacking, folder, isoName));
      await putImage(lacking, copy);
      await removeMarkers(lacking, folder);
    }),
  );
  await plugOnEach(speaker, lacking, srUuid);
}

/** Whether any host of the pool has the SR attached. */
export async function isPluggedAnywhere(speaker: SharedConnection, srUuid: string): Promise<boolean> {
  const pbds = await runXeAgain(speaker, pbdList({ "sr-uuid": srUuid, "currently-attached": "true" }));
  return pbds.length > 0;
}

/**
 * Forgets the SR of a temporary ISO, after ejecting it from every drive and unplugging every PBD. Leaves the
 * folders for `removeFolder`. Succeeds if the SR is already gone.
 *
 * @param hosts of the pool
 * @throws {@link HostError} `DISC_IN_USE`, `HOST_OFFLINE`, with nothing changed
 */
export async function forgetPoolTempIso(
  { speaker, members }: Pool,
  hosts: readonly PoolHost[],
  iso: TempIso,
): Promise<void> {
  const folder = folderAt(iso.srPath);
  if (iso.srUuid) {
    await assertUnpluggable(speaker, hosts, iso.srUuid);
    await forgetSr(speaker, iso.srUuid);
    await forgetSrOf(speaker, folder, { mayStillCome: false });
    return;
  }
  await forgetCutOffSr({ speaker, members }, folder);
}

/** Forgets the SR of a create that was cut off. If one of the hosts sent sr-create, the SR may still come. */
async function forgetCutOffSr({ speaker, members }: Pool, folder: Folder): Promise<void> {
  const stages = await onEach(members, ({ host }) => takeOver(host, folder));
  const maker = members.find((_, index) => stages[index] === "sr")?.host ?? speaker;
  await forgetSrOf(maker, folder);
}

/**
 * Looks for what a pool still has of a temporary ISO. Brings the URN in the SR's description up to date.
 *
 * @param members the hosts that are looked at
 * @param hosts of the pool: of those that are up and not looked at, the SR alone tells
 */
export async function readPoolTempIso(
  { speaker, members }: Pool,
  hosts: readonly PoolHost[],
  iso: TempIso,
): Promise<PoolTempIsoCondition> {
  const folder = folderAt(iso.srPath);
  const [sr, images] = await Promise.all([
    iso.srUuid ? lookAtSr(speaker, iso.srUuid) : { isThere: false, description: "", pbds: [], vdis: [] },
    onEach(members, ({ host }) => lookAtFolder(host, folder, iso.isoName)),
  ]);
  const pbdUuids = new Map(sr.pbds.map((pbd) => [field(pbd, "host-uuid"), field(pbd, "uuid")]));
  const plugged = sr.pbds
    .filter((pbd) => pbd["currently-attached"] === "true")
    .map((pbd) => field(pbd, "host-uuid"));
  const isWhole = new Map(
    members.map(({ uuid }, index) => [uuid, images[index]?.imageBytes === iso.isoSize]),
  );
  const up = hosts.filter(({ isLive }) => isLive).map(({ uuid }) => uuid);
  const withImage = up.filter((uuid) => isWhole.get(uuid) ?? plugged.includes(uuid));
  const lacking = up.filter((uuid) => !plugged.includes(uuid) || !withImage.includes(uuid));
  const unplugged = lacking.filter((uuid) => withImage.includes(uuid));
  const condition = { pbdUuids, lacking, unplugged };
  if (!sr.isThere && images.every(({ isThere }) => !isThere)) {
    const others = await findSrs(speaker, folder);
    return { state: others.length === 0 ? "gone" : "lost", ...condition };
  }
  if (!sr.isThere && images.some(({ isReleased }) => isReleased)) return { state: "released", ...condition };
  const hasDisc = sr.isThere && sr.vdis.some((vdi) => vdi["uuid"] === iso.vdiUuid);
  if (!hasDisc || withImage.length === 0) return { state: "lost", ...condition };
  if (parseNameDescription(sr.description)?.owner !== iso.owner) await describeTempIso(speaker, iso);
  return { state: lacking.length === 0 ? "ready" : "partial", ...condition };
}

/** Makes the SR; if the reply of sr-create was lost, finds it. */
function makeSharedSr(speaker: SharedConnection, plan: KnownPlan): Promise<string> {
  const { folder, owner, srName } = plan;
  const nameDescription = nameDescriptionOf(owner, folder.uuid);
  const { words } = srCreate({
    nameLabel: srName,
    nameDescription,
    location: pathOf(folder),
    isShared: true,
  });
  report({ step: "creating SR" });
  return resuming(speaker, plan, async (stage, lost) => {
    if (stage === "sr") {
      const srUuid = await findLostSr(speaker, folder);
      if (srUuid === undefined) throw lost;
      return srUuid;
    }
    const script = remote(sh`make_shared_sr ${pathOf(folder)} ${words}`);
    const options = { purpose: "make the storage repository", timeoutMs: MAKE_TIMEOUT_MS };
    const result = await speaker.exec(script, options);
    if (result.status === EXIT.imageFailed) throw imageFailed(speaker, plan, result);
    const srUuid = valueOf(result.stdout, "sr");
    if (result.status === 0 && srUuid) return srUuid;
    throw xeErrorOf({ command: "sr-create", host: speaker.address, stderr: result.stderr });
  });
}

/**
 * sm attaches one SR at a time per host, and a slow iSCSI or NFS attach may come first: the last of many waits
 * for minutes.
 */
const MAKE_TIMEOUT_MS = 15 * 60_000;

/**
 * Plugs the PBD of each host that is not plugged: sr-create does not report a failed plug. A failure on one host does
 * not stop the others.
 *
 * @throws {@link HostError} `NOT_ATTACHED` with the host's name
 */
export async function plugOnEach(
  speaker: SharedConnection,
  members: readonly PoolMember[],
  srUuid: string,
): Promise<PbdUuids> {
  const pbds = await runXeAgain(speaker, pbdList({ "sr-uuid": srUuid }));
  const pbdUuids = new Map<string, string>();
  await onAll(members, async ({ uuid, name, host }) => {
    const pbd = pbds.find((each) => each["host-uuid"] === uuid);
    if (!pbd) {
      const message = `The pool has no PBD of the SR ${srUuid} for its host ${name}. Restart the toolstack there (\`xe-toolstack-restart\`), which makes it, then run the command again.`;
      throw new HostError("NOT_ATTACHED", host.address, message);
    }
    const pbdUuid = field(pbd, "uuid");
    pbdUuids.set(uuid, pbdUuid);
    if (pbd["currently-attached"] === "true") return;
    try {
      await runXeAgain(speaker, pbdPlug(pbdUuid));
    } catch (error) {
      if (!(error instanceof XeError)) throw error;
      const message = `The host ${name} could not attach the SR. ${error.message}`;
      throw new HostError("NOT_ATTACHED", host.address, message, { cause: error });
    }
  });
  return pbdUuids;
}

/** How long to look for the VDI; a scan may find the toolstack busy. */
const SCAN = { firstPauseMs: 500, growth: 2, longestPauseMs: 5_000, budgetMs: 60_000 };

/** Makes the coordinator scan its folder until the disc is there. */
async function scanForDisc(speaker: SharedConnection, srUuid: string, isoName: string): Promise<string> {
  let attempt = 0;
  const isPassing = (error: unknown) => error instanceof HostError && error.code === "NOT_FOUND_IN_TIME";
  const waitingFor = `the VDI in the SR ${srUuid}`;
  return retry({ ...SCAN, waitingFor, isPassing }, async () => {
    report({ step: "waiting for VDI", attempt: ++attempt });
    await runXeAgain(speaker, srScan(srUuid));
    const [vdi] = await runXeAgain(speaker, vdiList({ "sr-uuid": srUuid, "name-label": isoName }));
    if (vdi) return field(vdi, "uuid");
    const message = `The SR ${srUuid} has no VDI ${isoName}. Check /var/log/SMlog on the pool's coordinator, then run the command again.`;
    throw new HostError("NOT_FOUND_IN_TIME", speaker.address, message);
  });
}

/** Waits for another create of the same resource. First clears what a killed one left on every host. */
function afterOthersOf(pool: Pool, plan: KnownPlan, attempt: () => Promise<void>): Promise<void> {
  const { members } = pool;
  const withNothingLeft = async () => {
    try {
      await attempt();
    } catch (error) {
      // Another create runs on one of the hosts. Stops here, so that the two do not meet on the others as well.
      if (isInTheWay(error)) await removeFolders(members, plan.folder, plan.isoName);
      throw error;
    }
  };
  return onceOwnerIsDone(async () => {
    try {
      await withNothingLeft();
      return;
    } catch (error) {
      if (!(error instanceof AbandonedError)) throw error;
      for (const { folder, isoName } of error.abandoned) {
        await forgetCutOffSr(pool, folder);
        await removeFolders(members, folder, isoName);
      }
    }
    return withNothingLeft();
  });
}

const isInTheWay = (error: unknown) =>
  error instanceof AbandonedError || (error instanceof HostError && error.code === "OWNER_BUSY");

/** xapi cannot unplug the PBD of a host that is offline, and forgets no SR with a plugged PBD. */
async function assertUnpluggable(
  speaker: SharedConnection,
  hosts: readonly PoolHost[],
  srUuid: string,
): Promise<void> {
  const pbds = await runXeAgain(speaker, pbdList({ "sr-uuid": srUuid, "currently-attached": "true" }));
  const offline = hosts.find(({ uuid, isLive }) => !isLive && pbds.some((pbd) => pbd["host-uuid"] === uuid));
  if (!offline) return;
  const message =
    `The host ${offline.name} is offline, and the pool counts the SR ${srUuid} as attached there. Start the host. ` +
    `If it is gone for good, make the pool forget it (\`xe host-forget uuid=${offline.uuid}\`). Then run the command again; nothing was changed.`;
  throw new HostError("HOST_OFFLINE", speaker.address, message);
}

function removeFolders(members: readonly PoolMember[], folder: Folder, isoName: string): Promise<void> {
  return onAll(members, async ({ host }) => {
    try {
      await removeFolder(host, folder, isoName);
    } catch (error) {
      // The state names what stays. Without the marker, the next create need not wait for this one.
      await removeMarker(host, folder).catch(() => undefined);
      throw error;
    }
  });
}

/**
 * The first host's folder goes last: while it exists, the next create of the resource finds everything of this
 * one.
 */
async function removeMarkers([first, ...others]: readonly PoolMember[], folder: Folder): Promise<void> {
  await onEach(others, ({ host }) => removeMarker(host, folder));
  if (first) await removeMarker(first.host, folder);
}

async function forgetSrOrUnmark(
  { speaker, members }: Pool,
  { folder }: KnownPlan,
  cause: unknown,
): Promise<void> {
  try {
    await forgetSrOf(speaker, folder, { isRefused: isSrRefused(cause) });
  } catch (error) {
    await onAll(members, ({ host }) => removeMarker(host, folder)).catch(() => undefined);
    throw error;
  }
}
