import type { SharedConnection } from "../ssh/shared-connection";
import type { UploadSource } from "../ssh/upload";
import { HostError } from "./error";
import {
  type Folder,
  type FolderPurpose,
  type MadeFolder,
  folderAt,
  identify,
  lookAtFolder,
  makeFolder,
  pathOf,
  removeFolder,
  removeMarker,
} from "./folder";
import { uploadImage } from "./image";
import { whileLeased } from "./lease";
import { report } from "./progress";
import { withRollback } from "./rollback";
import { assertRoom } from "./room";
import { createSr, discover, findSrs, forgetSr, isRefusal, lookAtSr } from "./sr";

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
  readonly vdiUuid?: string;
}

/** What a create has made, each a UUID. */
export type MadeTempIso = Required<Pick<TempIso, "hostUuid" | "srUuid" | "vdiUuid">> & {
  readonly pbdUuid: string;
};

/** What a host still has of a temporary ISO. */
export type TempIsoCondition =
  | { readonly state: "ready"; readonly pbdUuid: string }
  /** Half of it: the SR without its folder or unplugged, or the folder without its SR. */
  | { readonly state: "lost" }
  | { readonly state: "gone" };

/**
 * Makes a temporary ISO on the host: a folder, the image in it, an SR of the folder. A failure at any step
 * undoes the steps before it. What an earlier create of the same resource left, whose process was killed, is
 * cleared first.
 *
 * @throws `HostError`, `XeError`, `SshError`; `RollbackIncompleteError` when something had to stay on the host
 */
export function createTempIso(host: SharedConnection, plan: TempIsoPlan): Promise<MadeTempIso> {
  const { folder, image, isoName, owner, signal } = plan;
  return withRollback((undo) =>
    whileLeased(host, folder, async () => {
      let mayHaveSr = false;
      undo(`what was made at ${pathOf(folder)}`, () => unmake(host, folder, { owner, isoName, mayHaveSr }));
      const { hostUuid, room } = await makeFolderAlone(host, folder, {
        owner,
        isoName,
        sizeBytes: image.source.sizeBytes,
      });
      assertRoom(room, { sizeBytes: image.source.sizeBytes, srMountPath: folder.srMountPath }, host.address);
      signal.throwIfAborted();
      await uploadImage(host, folder, { ...image, isoName, signal });

      signal.throwIfAborted();
      mayHaveSr = true;
      report({ step: "creating SR" });
      const srUuid = await createSr(host, { nameLabel: plan.srName, ...srOf(folder, owner), hostUuid }).catch(
        (error: unknown) => {
          mayHaveSr = !isRefusal(error);
          throw error;
        },
      );
      const found = await discover(host, srUuid, isoName);
      await removeMarker(host, folder);
      await plan.assertWanted();
      return { hostUuid, srUuid, ...found };
    }),
  );
}

async function unmake(
  host: SharedConnection,
  folder: Folder,
  made: { owner: string; isoName: string; mayHaveSr: boolean },
): Promise<void> {
  try {
    if (made.mayHaveSr) await clearFolder(host, folder, made);
    else await removeFolder(host, folder, made.isoName);
  } catch (error) {
    // What stays is named by the state from now on: the next create need not wait for somebody who works there.
    await removeMarker(host, folder).catch(() => undefined);
    throw error;
  }
}

/** Makes the folder, after what killed creates of the same resource have left is cleared, and its space free. */
async function makeFolderAlone(
  host: SharedConnection,
  folder: Folder,
  purpose: FolderPurpose,
): Promise<MadeFolder> {
  const made = await makeFolder(host, folder, purpose);
  if (made.abandoned.length === 0) return made;
  for (const { folder: left, isoName } of made.abandoned)
    await clearFolder(host, left, { owner: purpose.owner, isoName });
  await removeFolder(host, folder, purpose.isoName);
  return makeFolder(host, folder, purpose);
}

/**
 * Takes a temporary ISO away: out of every drive, its SR, its file, its folder. Each step succeeds when there
 * is nothing left of what it removes.
 *
 * @throws {@link HostError} `DISC_IN_USE` with nothing removed, `OTHER_HOST`, `FOLDER_NOT_OURS`
 */
export async function deleteTempIso(host: SharedConnection, iso: TempIso): Promise<void> {
  await assertSameHost(host, iso);
  if (iso.srUuid) await forgetSr(host, iso.srUuid);
  await clearFolder(host, folderAt(iso.srPath), iso);
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

/** The folder goes last, once no SR is left of it: an SR without its folder harms the host. */
async function clearFolder(
  host: SharedConnection,
  folder: Folder,
  { owner, isoName }: { owner: string; isoName: string },
): Promise<void> {
  await forgetSrsOf(host, folder, owner);
  await removeFolder(host, folder, isoName);
}

async function forgetSrsOf(host: SharedConnection, folder: Folder, owner: string): Promise<void> {
  for (const srUuid of await findSrs(host, srOf(folder, owner))) await forgetSr(host, srUuid);
}

/** By what the SR of a folder is found: its PBD's location, or, where a crash left no PBD, its description. */
function srOf(folder: Folder, owner: string): { location: string; nameDescription: string } {
  return {
    location: pathOf(folder),
    nameDescription: `Temporary ISO of ${owner} in folder ${folder.uuid} (pulumi-xen-iso)`,
  };
}
