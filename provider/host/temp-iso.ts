import { SshError } from "../ssh/error";
import { retry } from "../ssh/retry";
import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { pbdPlug } from "../xe/commands";
import { isReplyLost, XeError } from "../xe/error";
import { mayBeDone, runXeAgain } from "../xe/run";
import { HostError } from "./error";
import {
  type Folder,
  folderAt,
  lookAtFolder,
  pathOf,
  removeFolder,
  removeMarker,
  type Stage,
  takeOver,
} from "./folder";
import { identify } from "./identify";
import { uploadImage, uploadIncomplete } from "./image";
import { findMadeDisc, makeDisc, makeLinkedDisc, makeSmallDisc, type MadeTempIso } from "./make";
import { renewMarkers, whileLeased } from "./marker";
import { parseNameDescription } from "./name-description";
import { contentOf, type KnownImage, type TempIsoPlan } from "./plan";
import { AbandonedError, onceOwnerIsDone, prepareFolder } from "./prepare";
import { remote } from "./remote";
import { withRollback } from "./rollback";
import { describeSr, findLostSr, findSrs, forgetSr, lookAtSr } from "./sr";
import { hasContent, turnToSend } from "./twin";

/** A temporary ISO as the state records it. Its folder finds everything else. */
export interface TempIso {
  /** URN of the resource as it was at create. */
  readonly owner: string;
  readonly isoName: string;
  /** In bytes. */
  readonly isoSize: number;
  /** Absolute folder on the host. */
  readonly srPath: string;
  /**
   * INSTALLATION_UUID of the host that has the folder. Like the fields below, unknown after a failed create.
   */
  readonly hostUuid?: string;
  readonly srUuid?: string;
  readonly pbdUuid?: string;
  readonly vdiUuid?: string;
}

/** What a host still has of a temporary ISO. */
export type TempIsoCondition =
  | { readonly state: "ready"; readonly pbdUuid: string }
  /** Everything is there, but the PBD is not plugged: {@link plugTempIso} plugs it. */
  | { readonly state: "partial"; readonly pbdUuid: string }
  /** Half of it is there: the SR without its image, or the folder without its SR. */
  | { readonly state: "lost" }
  /** Its release was cut off: the SR is forgotten, and the folder is still there. */
  | { readonly state: "released" }
  | { readonly state: "gone" };

/** Smaller images are sent with the command that makes their SR. */
const SMALL_BYTES = 1024 ** 2;

/**
 * Makes a temporary ISO on the host: a folder, the image in it, an SR of the folder. If a step fails, the steps
 * before it are undone. After a lost connection, the create continues from what the host has.
 *
 * @throws `HostError`, `XeError`, `SshError`; `RollbackIncompleteError` when something had to stay on the host
 */
export function createTempIso(host: SharedConnection, plan: TempIsoPlan): Promise<MadeTempIso> {
  const { folder, isoName, image } = plan;
  return withRollback((undo) =>
    whileLeased(host, folder, () => {
      // Registered before the first step, because one command may do them all. Undone last first: the folder goes only
      // once no SR of it is left, because an SR without its folder harms the host.
      undo(`the folder ${pathOf(folder)}`, () => removeFolder(host, folder, isoName));
      undo(`the SR of ${pathOf(folder)}`, (cause) => forgetSrOrUnmark(host, folder, cause));

      return resuming(host, plan, async (stage, lost) => {
        switch (stage) {
          case "nothing":
            return afterOthers(host, () =>
              "source" in image && image.source.sizeBytes < SMALL_BYTES
                ? sendAlong(host, plan, image)
                : linkOrUpload(host, plan),
            );
          // The folder is there with its marker, and perhaps a part of the image.
          case "folder":
            await uploadImage(host, plan, { isBegun: true });
            return makeUploadedDisc(host, plan);
          // The image is there, whole.
          case "image":
            return makeUploadedDisc(host, plan);
          // sr-create was sent: its SR is there, or may still come.
          case "sr":
            return findLostDisc(host, plan, lost);
        }
      });
    }),
  );
}

/** A small image is sent along: one command makes the folder, the image and the SR. */
async function sendAlong(host: SharedConnection, plan: TempIsoPlan, image: KnownImage): Promise<MadeTempIso> {
  const made = await makeSmallDisc(host, plan, image);
  if (made) return made;
  // The folder exists, but a startup file of the shell has read the image from stdin.
  await uploadImage(host, plan);
  return makeUploadedDisc(host, plan);
}

/** A large image is linked to a file with the same content, if the host has one. Otherwise it is uploaded. */
async function linkOrUpload(host: SharedConnection, plan: TempIsoPlan): Promise<MadeTempIso> {
  const { folder, owner, organization, isoName, image, signal } = plan;
  const identity = "stream" in image ? image.stream.identity : image.sha256;
  const turn = await turnToSend(`${host.address} ${folder.srMountPath} ${identity}`);
  try {
    // Another create of this process has just sent it: one command makes the folder, the link and the SR.
    if (turn.twin) {
      const made = await makeLinkedDisc(host, plan, turn.twin);
      if (made) return made;
      // The other disc was deleted in the meantime.
      await removeFolder(host, folder, isoName);
    }
    // The size of a stream may be unknown, so its room is checked while it arrives.
    const { sizeBytes, sha256 } = contentOf(image) ?? { sizeBytes: 0 };
    const purpose = {
      owner,
      organization,
      isoName,
      sizeBytes,
      ...(sha256 !== undefined && { twinSha256: sha256 }),
    };
    const { twin, noRoom } = await prepareFolder(host, folder, purpose);
    // The folder exists with its marker. `twin` is a file that an earlier run sent.
    if (twin && sha256 !== undefined && (await hasContent(host, twin, sha256))) {
      const made = await makeDisc(host, plan, { twin, onWhole: turn.end });
      if (made) return made;
    }
    if (noRoom) throw noRoom;
    await uploadImage(host, plan);
    signal.throwIfAborted();
    return await makeUploadedDisc(host, plan, turn.end);
  } finally {
    turn.end();
  }
}

/** The folder holds the image: renames it to its final name, and makes the SR. */
async function makeUploadedDisc(
  host: SharedConnection,
  plan: TempIsoPlan,
  onWhole?: (file: { path: string; identity: string }) => void,
): Promise<MadeTempIso> {
  const made = await makeDisc(host, plan, onWhole && { onWhole });
  if (!made) throw uploadIncomplete(host, plan.folder, { stderr: "" });
  return made;
}

/** The reply of sr-create was lost: looks for its SR, and never sends it again. */
async function findLostDisc(host: SharedConnection, plan: TempIsoPlan, lost: unknown): Promise<MadeTempIso> {
  const srUuid = await findLostSr(host, plan.folder);
  if (srUuid === undefined) throw lost;
  return findMadeDisc(host, plan, srUuid);
}

/** How many lost connections a create survives; each reconnect has retries of its own. */
const RESUME = { firstPauseMs: 500, growth: 2, longestPauseMs: 5_000, attempts: 5 };

/** After a lost connection or reply, asks the host how far it got, and continues from there. */
export function resuming<T>(
  host: SharedConnection,
  { folder, signal }: TempIsoPlan,
  attempt: (stage: Stage, lost: unknown) => Promise<T>,
): Promise<T> {
  let lost: unknown;
  const isPassing = (error: unknown) => {
    // An error seen twice is final.
    const isNew = error !== lost;
    lost = error;
    return isNew && isLoss(error);
  };
  const waitingFor = `a connection to ${host.address}`;
  return retry({ ...RESUME, waitingFor, isPassing }, async () => {
    signal.throwIfAborted();
    const stage = lost ? await takeOver(host, folder) : "nothing";
    if (stage !== "nothing") await renewMarkers(host, [pathOf(folder)]);
    return attempt(stage, lost);
  });
}

/** Whether the host may have done more than it could report. */
function isLoss(error: unknown): boolean {
  const isSrCreate = error instanceof XeError && error.command === "sr-create";
  return (
    isReplyLost(error) ||
    (isSrCreate && error.outcome === "unknown") ||
    (error instanceof SshError && error.code === "CONNECTION_LOST")
  );
}

/**
 * Waits for another create of the same resource. First clears what a killed one left, which also frees its
 * space.
 */
function afterOthers<T>(host: SharedConnection, attempt: () => Promise<T>): Promise<T> {
  return onceOwnerIsDone(async () => {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof AbandonedError)) throw error;
      for (const { folder, isoName } of error.abandoned) {
        await forgetSrOf(host, folder);
        await removeFolder(host, folder, isoName);
      }
    }
    return attempt();
  });
}

/**
 * Removes a temporary ISO: ejects it from every drive, then removes its SR, its file and its folder. Each step
 * succeeds if there is nothing left to remove.
 *
 * @throws {@link HostError} `DISC_IN_USE` with nothing removed, `OTHER_HOST`, `FOLDER_NOT_OURS`
 */
export async function deleteTempIso(host: SharedConnection, iso: TempIso): Promise<void> {
  if (await deleteUnusedDisc(host, iso)) return;
  const folder = folderAt(iso.srPath);
  await assertSameHost(host, iso);
  if (iso.srUuid) await forgetSr(host, iso.srUuid);
  await forgetSrOf(host, folder, { mayStillCome: iso.srUuid === undefined });
  await removeFolder(host, folder, iso.isoName);
}

/** sm detaches one SR at a time per host. */
const DELETE_TIMEOUT_MS = 10 * 60_000;

/**
 * Removes everything in one command, if the disc is in no drive and nothing is in the way.
 *
 * @returns false if it is not that simple; what was done stays done
 */
async function deleteUnusedDisc(host: SharedConnection, iso: TempIso): Promise<boolean> {
  const { hostUuid, srUuid, pbdUuid, vdiUuid, isoName } = iso;
  const { srMountPath, uuid } = folderAt(iso.srPath);
  if (!hostUuid || !srUuid || !pbdUuid || !vdiUuid) return false;
  const script = remote(
    sh`delete_unused_disc ${hostUuid} ${srUuid} ${pbdUuid} ${vdiUuid} ${srMountPath} ${uuid} ${isoName}`,
  );
  try {
    const result = await host.exec(script, { purpose: "remove the disc", timeoutMs: DELETE_TIMEOUT_MS });
    return result.status === 0;
  } catch (error) {
    if (mayBeDone(error)) return false;
    throw error;
  }
}

/**
 * Looks for what the host still has of a temporary ISO.
 *
 * @throws {@link HostError} `OTHER_HOST` if another host answers at its address
 */
export async function readTempIso(host: SharedConnection, iso: TempIso): Promise<TempIsoCondition> {
  await assertSameHost(host, iso);
  const folder = folderAt(iso.srPath);
  const [sr, image] = await Promise.all([
    iso.srUuid ? lookAtSr(host, iso.srUuid) : { isThere: false, description: "", pbds: [], vdis: [] },
    lookAtFolder(host, folder, iso.isoName),
  ]);
  if (!sr.isThere && !image.isThere) {
    const others = await findSrs(host, folder);
    return { state: others.length === 0 ? "gone" : "lost" };
  }
  if (!sr.isThere && image.isReleased) return { state: "released" };
  const pbd = sr.pbds.find((each) => each["host-uuid"] === iso.hostUuid);
  const hasVdi = sr.vdis.some((vdi) => vdi["uuid"] === iso.vdiUuid);
  if (!pbd?.["uuid"] || !iso.srUuid || !hasVdi || image.imageBytes !== iso.isoSize) return { state: "lost" };
  if (pbd["currently-attached"] !== "true") return { state: "partial", pbdUuid: pbd["uuid"] };
  if (parseNameDescription(sr.description)?.owner !== iso.owner) await describeTempIso(host, iso);
  return { state: "ready", pbdUuid: pbd["uuid"] };
}

/** Puts the resource's current URN into the SR's description, for people. */
export async function describeTempIso(
  host: SharedConnection,
  { srUuid, srPath, owner }: TempIso,
): Promise<void> {
  if (srUuid) await describeSr(host, srUuid, { owner, folder: folderAt(srPath) });
}

/**
 * Plugs the PBD of a disc that is `partial`, for instance because its storage was slow when the host booted.
 * VMs with the disc in a drive can read it again.
 *
 * @throws `XeError` if it cannot be plugged
 */
export async function plugTempIso(host: SharedConnection, { pbdUuid }: TempIso): Promise<void> {
  if (pbdUuid) await runXeAgain(host, pbdPlug(pbdUuid));
}

/** Refuses another host that now has the address of the one the disc is on. */
export async function assertSameHost(host: SharedConnection, iso: TempIso): Promise<void> {
  const hostUuid = await identify(host);
  if (iso.hostUuid === undefined || hostUuid === iso.hostUuid) return;
  const message =
    `${host.address} is not the host on which the disc was made: its INSTALLATION_UUID is ${hostUuid}, not ${iso.hostUuid}. ` +
    `If the host was reinstalled, nothing is left of the disc: drop the resource from the state with \`pulumi state delete <URN>\`.`;
  throw new HostError("OTHER_HOST", host.address, message);
}

/**
 * Forgets every SR made from a folder, once nothing works in the folder any more. If sr-create was sent and no
 * SR is known, it may still come, so it is waited for.
 *
 * @param isRefused xapi refused sr-create: none comes, and a toolstack that does not answer the look is no obstacle
 */
export async function forgetSrOf(
  host: SharedConnection,
  folder: Folder,
  { mayStillCome = true, isRefused = false } = {},
): Promise<void> {
  const stage = await takeOver(host, folder);
  const found = await findSrs(host, folder).catch((error: unknown) => {
    if (isRefused && error instanceof XeError) return [];
    throw error;
  });
  for (const each of found) await forgetSr(host, each);
  if (stage === "sr" && mayStillCome && !isRefused && found.length === 0) {
    const late = await findLostSr(host, folder);
    if (late) await forgetSr(host, late);
  }
}

async function forgetSrOrUnmark(host: SharedConnection, folder: Folder, cause: unknown): Promise<void> {
  try {
    await forgetSrOf(host, folder, { isRefused: isSrRefused(cause) });
  } catch (error) {
    // From now on the state names what stays. Without the marker, the next create need not wait for this one.
    await removeMarker(host, folder).catch(() => undefined);
    throw error;
  }
}

/** Whether xapi refused sr-create and removed its records. */
export function isSrRefused(error: unknown): boolean {
  return error instanceof XeError && error.command === "sr-create" && error.outcome === "refused";
}
