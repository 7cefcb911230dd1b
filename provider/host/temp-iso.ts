import { SshError } from "../ssh/error";
import { retry } from "../ssh/retry";
import { lines, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import type { UploadSource } from "../ssh/upload";
import { isReplyLost, XeError } from "../xe/error";
import { forgetUnused } from "../xe/iso-sr";
import { isAnswerLost } from "../xe/run";
import { HostError } from "./error";
import {
  type Folder,
  folderAt,
  IDENTIFY,
  identify,
  lookAtFolder,
  pathOf,
  removeFolder,
  removeMarker,
  removeScript,
  takeOver,
} from "./folder";
import { uploadImage } from "./image";
import { renewMarkers, whileLeased } from "./lease";
import { type DiscPlan, findMadeDisc, type MadeDisc, makeAtOnce, makeDisc, NotWholeError } from "./make";
import { nameDescriptionOf } from "./name-description";
import { AbandonedError, onceOwnerIsDone, prepareFolder } from "./prepare";
import { withRollback } from "./rollback";
import { findLostSr, findSrs, forgetSr, lookAtSr, type SrMark } from "./sr";
import { hasContent, oncePerContent } from "./twin";

/** What is to be made. */
export interface TempIsoPlan {
  readonly folder: Folder;
  /** URN of the resource. */
  readonly owner: string;
  readonly image: {
    readonly source: UploadSource;
    /** Lower-case hex. */
    readonly sha256: string;
  };
  /** File name on the host, which becomes the VDI's `name-label`. */
  readonly isoName: string;
  readonly srName: string;
  /** Aborted when nobody waits for the disc any more: then the create stops and undoes what it did. */
  readonly signal: AbortSignal;
  /** Asked once more before the disc counts as made; rejects when nobody takes it. */
  readonly assertWanted: () => Promise<void>;
}

/** A temporary ISO as it is recorded: by its folder all of it is found. */
export interface TempIso {
  /** URN of the resource as it was at create. */
  readonly owner: string;
  readonly isoName: string;
  /** In bytes. */
  readonly isoSize: number;
  /** Absolute folder on the host. */
  readonly srPath: string;
  /** INSTALLATION_UUID of the host that has the folder; like the following, unknown after a failed create. */
  readonly hostUuid?: string;
  readonly srUuid?: string;
  readonly pbdUuid?: string;
  readonly vdiUuid?: string;
}

/** What a create has made. */
export type MadeTempIso = MadeDisc;

/** What a host still has of a temporary ISO. */
export type TempIsoCondition =
  | { readonly state: "ready"; readonly pbdUuid: string }
  /** Half of it: the SR without its folder or unplugged, or the folder without its SR. */
  | { readonly state: "lost" }
  | { readonly state: "gone" };

/** How often a create goes on after its connection was lost; each time connecting has retries of its own. */
const RESUME = { firstPauseMs: 500, growth: 2, longestPauseMs: 5_000, attempts: 5 };

/** sm detaches one SR at a time on a host. */
const DELETE_TIMEOUT_MS = 10 * 60_000;

/** What is sent along with the command that makes its SR. */
const SMALL_BYTES = 1024 ** 2;

/**
 * Makes a temporary ISO on the host: a folder, the image in it, an SR of the folder. A failure at any step
 * undoes the steps before it. What an earlier create of the same resource left, whose process was killed, is
 * cleared first.
 *
 * @throws `HostError`, `XeError`, `SshError`; `RollbackIncompleteError` when something had to stay on the host
 */
export function createTempIso(host: SharedConnection, plan: TempIsoPlan): Promise<MadeTempIso> {
  const { folder, owner, isoName } = plan;
  return withRollback((undo) =>
    whileLeased(host, folder, async () => {
      const sr = { isRefused: false };
      undo(`what was made at ${pathOf(folder)}`, () => unmake(host, folder, { owner, isoName, sr }));
      try {
        return await makeResuming(host, plan);
      } catch (error) {
        sr.isRefused = isRefusal(error);
        throw error;
      }
    }),
  );
}

/** After a lost connection, or a lost answer of `sr-create`, it goes on where the host is. */
function makeResuming(host: SharedConnection, plan: TempIsoPlan): Promise<MadeTempIso> {
  const { folder, signal } = plan;
  let cutOff: unknown;
  const isPassing = (error: unknown) => {
    // What is thrown again is final.
    const isNew = error !== cutOff;
    cutOff = error;
    return isNew && isCutOff(error);
  };
  return retry({ ...RESUME, isPassing }, async () => {
    signal.throwIfAborted();
    const stage = cutOff ? await takeOver(host, folder) : "nothing";
    if (stage === "nothing") return await clearingAbandoned(host, plan.owner, () => makeAnew(host, plan));

    await renewMarkers(host, [pathOf(folder)]);
    const disc = discPlan(plan);
    if (stage === "sr") {
      const srUuid = await findLostSr(host, disc.mark);
      if (srUuid === undefined) throw cutOff;
      return await findMadeDisc(host, disc, srUuid);
    }
    if (stage === "image") return await makeDisc(host, disc);
    await uploadImage(host, folder, disc.image, { isBegun: true });
    return await makeDisc(host, disc);
  });
}

function isCutOff(error: unknown): boolean {
  return isReplyLost(error) || (error instanceof SshError && error.code === "CONNECTION_LOST");
}

/** One command for a small image; else preparing, sending as much as the host has not, and making the SR. */
async function makeAnew(host: SharedConnection, plan: TempIsoPlan): Promise<MadeTempIso> {
  const { folder, owner, image, isoName } = plan;
  const { sizeBytes } = image.source;
  if (sizeBytes < SMALL_BYTES) {
    const disc = discPlan(plan);
    const made = await unlessNotWhole(onceOwnerIsDone(() => makeAtOnce(host, disc)));
    return made ?? uploadAndMake(host, disc);
  }

  const content = `${host.address} ${folder.srMountPath} ${image.sha256}`;
  return oncePerContent(content, async (isThere, sent) => {
    const disc = discPlan(plan, isThere);
    if (sent) {
      const made = await unlessNotWhole(onceOwnerIsDone(() => makeAtOnce(host, disc, sent)));
      if (made) return made;
      // It was taken away in between, with the disc that it was sent for.
      await removeFolder(host, folder, isoName);
    }
    const purpose = { owner, isoName, sizeBytes, twinSha256: image.sha256 };
    const { twin, noRoom } = await prepareFolder(host, folder, purpose);
    if (twin && (await hasContent(host, twin, image.sha256))) {
      const made = await unlessNotWhole(makeDisc(host, disc, twin));
      if (made) return made;
    }
    if (noRoom) throw noRoom;
    return uploadAndMake(host, disc);
  });
}

async function uploadAndMake(host: SharedConnection, disc: DiscPlan): Promise<MadeTempIso> {
  await uploadImage(host, disc.folder, disc.image);
  disc.image.signal.throwIfAborted();
  return makeDisc(host, disc);
}

/** @returns undefined where the image has to be uploaded after all */
async function unlessNotWhole(making: Promise<MadeTempIso>): Promise<MadeTempIso | undefined> {
  try {
    return await making;
  } catch (error) {
    if (error instanceof NotWholeError) return undefined;
    throw error;
  }
}

/** What killed creates of the same resource have left is cleared first, and its space free. */
async function clearingAbandoned<T>(
  host: SharedConnection,
  owner: string,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof AbandonedError)) throw error;
    for (const { folder, isoName } of error.abandoned) await clearFolder(host, folder, { owner, isoName });
  }
  return attempt();
}

function discPlan(plan: TempIsoPlan, onWhole: DiscPlan["onWhole"] = () => undefined): DiscPlan {
  const { folder, owner, image, isoName, srName, signal, assertWanted } = plan;
  const mark = srOf(folder, owner);
  return { folder, owner, image: { ...image, isoName, signal }, srName, mark, assertWanted, onWhole };
}

async function unmake(
  host: SharedConnection,
  folder: Folder,
  { owner, isoName, sr }: { owner: string; isoName: string; sr: { isRefused: boolean } },
): Promise<void> {
  try {
    if (sr.isRefused) await removeFolder(host, folder, isoName);
    else await clearFolder(host, folder, { owner, isoName });
  } catch (error) {
    // What stays is named by the state from now on: the next create need not wait for somebody who works there.
    await removeMarker(host, folder).catch(() => undefined);
    throw error;
  }
}

/** Whether sr-create failed and said so: then xapi has taken back its records. */
function isRefusal(error: unknown): boolean {
  return error instanceof XeError && error.command === "sr-create" && !isAnswerLost(error);
}

/**
 * Takes a temporary ISO away: out of every drive, its SR, its file, its folder. Each step succeeds when there
 * is nothing left of what it removes.
 *
 * @throws {@link HostError} `DISC_IN_USE` with nothing removed, `OTHER_HOST`, `FOLDER_NOT_OURS`
 */
export async function deleteTempIso(host: SharedConnection, iso: TempIso): Promise<void> {
  if (await deleteAtOnce(host, iso)) return;
  await assertSameHost(host, iso);
  if (iso.srUuid) await forgetSr(host, iso.srUuid);
  await clearFolder(host, folderAt(iso.srPath), iso);
}

/**
 * All of it in one command, as it is where the disc is in no drive and nothing is in the way.
 *
 * @returns false where it is not that simple; what was done stays done
 */
async function deleteAtOnce(host: SharedConnection, iso: TempIso): Promise<boolean> {
  const { hostUuid, srUuid, pbdUuid, vdiUuid, srPath, isoName } = iso;
  if (!hostUuid || !srUuid || !pbdUuid || !vdiUuid) return false;
  const script = lines(
    IDENTIFY,
    sh`[ "$host_uuid" = ${hostUuid} ] || exit 1`,
    forgetUnused({ srUuid, pbdUuid, vdiUuid }),
    removeScript(folderAt(srPath), isoName),
  );
  try {
    return (
      (await host.exec(script, { purpose: "remove the disc", timeoutMs: DELETE_TIMEOUT_MS })).status === 0
    );
  } catch (error) {
    if (isAnswerLost(error)) return false;
    throw error;
  }
}

/**
 * Looks what the host still has of a temporary ISO.
 *
 * @throws {@link HostError} `OTHER_HOST` when another host answers at its address
 */
export async function readTempIso(host: SharedConnection, iso: TempIso): Promise<TempIsoCondition> {
  await assertSameHost(host, iso);
  const folder = folderAt(iso.srPath);
  const [sr, image] = await Promise.all([
    iso.srUuid ? lookAtSr(host, iso.srUuid) : { isThere: false, pbds: [], vdis: [] },
    lookAtFolder(host, folder, iso.isoName),
  ]);
  if (!sr.isThere && !image.isThere) {
    const others = await findSrs(host, srOf(folder, iso.owner));
    return { state: others.length === 0 ? "gone" : "lost" };
  }
  const pbd = sr.pbds.find(
    (each) => each["host-uuid"] === iso.hostUuid && each["currently-attached"] === "true",
  );
  const hasVdi = sr.vdis.some((vdi) => vdi["uuid"] === iso.vdiUuid);
  if (pbd?.["uuid"] && hasVdi && image.imageBytes === iso.isoSize)
    return { state: "ready", pbdUuid: pbd["uuid"] };
  return { state: "lost" };
}

/** Refuses a host that is not the one on which the disc was made, though it has its address. */
export async function assertSameHost(host: SharedConnection, iso: TempIso): Promise<void> {
  const hostUuid = await identify(host);
  if (iso.hostUuid === undefined || hostUuid === iso.hostUuid) return;
  const message =
    `${host.address} is another host than the one on which the disc was made: its INSTALLATION_UUID is ${hostUuid}, not ${iso.hostUuid}. ` +
    `If the host was reinstalled, nothing is left of the disc: drop the resource from the state with \`pulumi state delete <URN>\`.`;
  throw new HostError("OTHER_HOST", host.address, message);
}

/**
 * The folder goes last, once no SR is left of it: an SR without its folder harms the host. Where the
 * making of an SR was begun and nobody knows of one, it may still come, of a call that was not answered.
 */
async function clearFolder(
  host: SharedConnection,
  folder: Folder,
  { owner, isoName, srUuid }: { owner: string; isoName: string; srUuid?: string },
): Promise<void> {
  const mark = srOf(folder, owner);
  const stage = await takeOver(host, folder);
  const found = await findSrs(host, mark);
  for (const each of found) await forgetSr(host, each);
  if (stage === "sr" && srUuid === undefined && found.length === 0) {
    const late = await findLostSr(host, mark);
    if (late) await forgetSr(host, late);
  }
  await removeFolder(host, folder, isoName);
}

/** By what the SR of a folder is found: its PBD's location, or, where a crash left no PBD, its description. */
function srOf(folder: Folder, owner: string): SrMark {
  return {
    location: pathOf(folder),
    nameDescription: nameDescriptionOf(owner, folder.uuid),
  };
}
