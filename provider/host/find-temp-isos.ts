import type { SharedConnection } from "../ssh/shared-connection";
import { hostList, pbdList, poolList, srList, taskList, vbdList, vdiList, vmList } from "../xe/commands";
import type { XeRecord } from "../xe/parse";
import { runXeAgain } from "../xe/run";
import { FILE, folderAt, pathOf } from "./folder";
import { identify } from "./identify";
import { parseNameDescription } from "./name-description";
import { onEach } from "./pool";
import { type FoundFolder, scanFolders } from "./scan-folders";
import { locationOf } from "./sr";

/** A host that is looked through. */
export interface LookedAtHost {
  /** INSTALLATION_UUID. */
  readonly uuid: string;
  readonly host: SharedConnection;
}

/** A host, and every temporary ISO in its pool that this package made. */
export interface FoundTempIsos {
  /** INSTALLATION_UUID. */
  readonly hostUuid: string;
  /** UUID of the host → its name. */
  readonly hostNames: ReadonlyMap<string, string>;
  readonly isHaEnabled: boolean;
  readonly tempIsos: readonly FoundTempIso[];
}

/**
 * The state of a temporary ISO:
 *
 * - `live`: its SR is attached and the image is there
 * - `partial`: a disc of a whole pool that one host lacks, and another one has
 * - `pending`: its create has not ended, or was killed
 * - `corpse`: an SR that is not attached, or without its image
 * - `folder without SR`
 */
export type FoundState = "live" | "partial" | "pending" | "corpse" | "folder without SR";

/** A temporary ISO as it was found. */
export interface FoundTempIso {
  readonly state: FoundState;
  /** URN of the resource at create; unknown if only the folder exists, unless a create or release was cut off. */
  readonly owner: string | undefined;
  /** Name of its folder. */
  readonly folderUuid: string;
  /** Absolute path on its host; unknown for an SR without a PBD whose folder is on no host that was looked at. */
  readonly srPath: string | undefined;
  /** Always false if its host was not looked at. */
  readonly isFolderThere: boolean;
  readonly isoName: string | undefined;
  /** Size of the image, or of the part that has arrived. */
  readonly sizeBytes: number | undefined;
  /** Since the last change of the image or, without an image, of the folder. */
  readonly ageSeconds: number | undefined;
  /** Whether it is on the host that was asked. Unless it is shared, it is then on no other. */
  readonly isHere: boolean;
  /** Whether it is on a host that was looked at, so that it can be removed. */
  readonly isReached: boolean;
  /** Whether it is a disc of a whole pool, with a folder on each of its hosts. */
  readonly isShared: boolean;
  /** The host it is on, if known. */
  readonly hostUuid: string | undefined;
  /** The hosts with its folder, of those that were looked at. */
  readonly folderHostUuids: readonly string[];
  /** The hosts that lack a disc of a whole pool: its SR is not attached there, or the image is gone. */
  readonly lackingHostUuids: readonly string[];
  /** Whether a create or delete of it is running now. */
  readonly isUnderWay: boolean;
  /** One or none; several only after the toolstack crashed. */
  readonly srs: readonly FoundSr[];
  readonly drives: readonly FoundDrive[];
}

/** A storage repository of a temporary ISO. */
export interface FoundSr {
  readonly uuid: string;
  readonly nameLabel: string;
  /** Without a PBD it belongs to no host. */
  readonly hasPbd: boolean;
  readonly isAttached: boolean;
}

/** A drive that names the disc. */
export interface FoundDrive {
  readonly vbdUuid: string;
  readonly vmUuid: string;
  readonly vmName: string;
  /** Unknown for a snapshot or template: `vm-list` leaves them out. */
  readonly powerState: string | undefined;
}

/**
 * Finds every temporary ISO of this package in a pool: by the descriptions of SRs, and by the folders of the hosts
 * that are looked at, in `srMountPaths` and next to those of such SRs. Changes nothing.
 *
 * @param others hosts of the same pool that are looked at as well
 * @throws `HostError`, `XeError`, `SshError`
 */
export async function findTempIsos(
  host: SharedConnection,
  srMountPaths: readonly string[],
  others: readonly LookedAtHost[] = [],
): Promise<FoundTempIsos> {
  const hostUuid = await identify(host);
  const [pools, hosts, before] = await Promise.all([
    runXeAgain(host, poolList()),
    runXeAgain(host, hostList({})),
    listSrs(host),
  ]);
  // Folders are read before SRs, so that a create that ends in between appears with its marker, not as a folder
  // without SR.
  const lookedAt = [{ uuid: hostUuid, host }, ...others];
  const folders = await onEach(lookedAt, (each) =>
    foldersOn(each, new Set([...srMountPaths, ...mountPathsOf(before, each.uuid)])),
  );
  const [records, drives, creates] = await Promise.all([
    listSrs(host),
    listDrives(host),
    runXeAgain(host, taskList({ "name-label": "SR.create", status: "pending" })),
  ]);
  return {
    hostUuid,
    hostNames: new Map(hosts.map((each) => [each["uuid"] ?? "", each["name-label"] ?? ""])),
    isHaEnabled: pools[0]?.["ha-enabled"] === "true",
    tempIsos: joinTempIsos({
      lookedAt: lookedAt.map(({ uuid }) => uuid),
      isPool: hosts.length > 1,
      isCreating: creates.length > 0,
      folders: folders.flat(),
      ...records,
      ...drives,
    }),
  };
}

async function foldersOn({ uuid, host }: LookedAtHost, paths: ReadonlySet<string>): Promise<FolderOnHost[]> {
  const found = await Promise.all([...paths].map((path) => scanFolders(host, path)));
  return found.flat().map((folder) => ({ ...folder, hostUuid: uuid }));
}

/** The parent folders of the temporary ISOs that have an SR on this host. */
export async function mountPathsOnHost(host: SharedConnection, hostUuid: string): Promise<string[]> {
  return mountPathsOf(await listSrs(host), hostUuid);
}

interface SrRecords {
  readonly srs: readonly XeRecord[];
  /** PBDs of SRs over a local folder. */
  readonly pbds: readonly XeRecord[];
}

interface DriveRecords {
  readonly vdis: readonly XeRecord[];
  /** Drives that are not empty. */
  readonly vbds: readonly XeRecord[];
  readonly vms: readonly XeRecord[];
}

/** A folder, and the host that has it. */
export interface FolderOnHost extends FoundFolder {
  readonly hostUuid: string;
}

/** Everything that was read from the hosts and their pool. */
export interface HostRecords extends SrRecords, DriveRecords {
  /** UUIDs of the hosts whose folders were read, that of the host that was asked first. */
  readonly lookedAt: readonly string[];
  /** Whether the pool has other hosts. */
  readonly isPool: boolean;
  /** Whether the toolstack is creating an SR now. */
  readonly isCreating: boolean;
  readonly folders: readonly FolderOnHost[];
}

async function listSrs(host: SharedConnection): Promise<SrRecords> {
  const [srs, pbds] = await Promise.all([
    runXeAgain(host, srList({})),
    // The filter excludes the secrets of SMB shares.
    runXeAgain(host, pbdList({ "device-config:legacy_mode": "true" })),
  ]);
  return { srs, pbds };
}

async function listDrives(host: SharedConnection): Promise<DriveRecords> {
  const [vdis, vbds, vms] = await Promise.all([
    runXeAgain(host, vdiList({})),
    runXeAgain(host, vbdList({ empty: "false" })),
    runXeAgain(host, vmList({})),
  ]);
  return { vdis, vbds, vms };
}

/** The parent folders of a host's SRs. */
function mountPathsOf({ srs, pbds }: SrRecords, hostUuid: string): string[] {
  return srs.flatMap((sr) => {
    const description = parseNameDescription(sr["name-description"] ?? "");
    const pbd = pbds.find((each) => each["sr-uuid"] === sr["uuid"] && each["host-uuid"] === hostUuid);
    const path = description && pbd && locationOf(pbd, description.folderUuid);
    return path === undefined ? [] : [folderAt(path).srMountPath];
  });
}

/** Groups the records by folder; those of a disc of a whole pool are on several hosts. Pure. */
export function joinTempIsos(records: HostRecords): FoundTempIso[] {
  const described = records.srs.flatMap((sr) => {
    const description = parseNameDescription(sr["name-description"] ?? "");
    return description ? [{ sr, ...description }] : [];
  });
  const ofSrs = described.map(({ folderUuid }) => folderUuid);
  const ofFolders = records.folders
    .filter((found) => ofSrs.includes(found.folder.uuid) || isOurs(found, records))
    .map(({ folder }) => folder.uuid);
  return [...new Set([...ofSrs, ...ofFolders])].map((folderUuid) =>
    joinTempIso(
      folderUuid,
      described.filter((each) => each.folderUuid === folderUuid),
      records,
    ),
  );
}

function joinTempIso(
  folderUuid: string,
  described: readonly { sr: XeRecord; owner: string }[],
  records: HostRecords,
): FoundTempIso {
  const { lookedAt, pbds, isPool, isCreating } = records;
  const [asked] = lookedAt;
  const folders = records.folders.filter(({ folder }) => folder.uuid === folderUuid);
  const found = folders.find(({ image }) => image) ?? folders[0];
  const srUuids = described.map(({ sr }) => sr["uuid"] ?? "");
  const own = pbds.filter((pbd) => srUuids.includes(pbd["sr-uuid"] ?? ""));
  const pbd = own.find((each) => each["host-uuid"] === asked) ?? own[0];
  // If the toolstack crashes during sr-create, an SR without PBD stays. It belongs to no host, so any host can
  // forget it. An SR that is being created also has no PBD for a moment, so nothing is forgotten then.
  const isNowhere = folders.length === 0 && !pbd && (!isPool || !isCreating);
  const places = [...folders, ...own.map((each) => ({ hostUuid: each["host-uuid"] ?? "" }))];
  const isOn = (uuids: readonly string[]) =>
    isNowhere || places.some(({ hostUuid }) => uuids.includes(hostUuid));
  const isHere = isOn(lookedAt.slice(0, 1));
  const isShared = described.some(({ sr }) => sr["shared"] === "true");
  const [marker, ...markers] = folders.flatMap((each) => each.marker ?? []);
  const attached = own.filter((each) => hasDisc(each, { folders, lookedAt }));
  const lacking = own.filter((each) => !attached.includes(each));
  return {
    state: stateOf({ folders, hasSr: srUuids.length > 0, isShared, attached, lacking }),
    owner: described[0]?.owner ?? marker?.owner ?? found?.releasedOwner,
    folderUuid,
    srPath: (pbd && locationOf(pbd, folderUuid)) ?? (found && pathOf(found.folder)),
    isFolderThere: found !== undefined,
    isoName: marker?.isoName ?? imageNameOf(found) ?? vdiOf(srUuids, records)?.["name-label"],
    sizeBytes: found?.image?.sizeBytes ?? numberOf(vdiOf(srUuids, records)?.["virtual-size"]),
    ageSeconds: found?.image?.ageSeconds ?? found?.ageSeconds,
    isHere,
    isReached: isOn(lookedAt),
    isShared,
    hostUuid: isHere ? asked : (pbd?.["host-uuid"] ?? found?.hostUuid),
    folderHostUuids: folders.map(({ hostUuid }) => hostUuid),
    lackingHostUuids: isShared ? lacking.map((each) => each["host-uuid"] ?? "") : [],
    isUnderWay: [marker, ...markers].some((each) => each?.isUnderWay),
    srs: described.map(({ sr }) => toFoundSr(sr, own)),
    drives: drivesOf(srUuids, records),
  };
}

/** Whether the host of a PBD has the disc: attached and, where folders were read, with the image. */
function hasDisc(
  pbd: XeRecord,
  { folders, lookedAt }: { folders: readonly FolderOnHost[]; lookedAt: readonly string[] },
): boolean {
  if (pbd["currently-attached"] !== "true") return false;
  const hostUuid = pbd["host-uuid"] ?? "";
  if (!lookedAt.includes(hostUuid)) return true;
  return folders.some((each) => each.hostUuid === hostUuid && imageNameOf(each) !== undefined);
}

function stateOf({
  folders,
  hasSr,
  isShared,
  attached,
  lacking,
}: {
  folders: readonly FolderOnHost[];
  hasSr: boolean;
  isShared: boolean;
  /** The PBDs of the hosts that have the disc, and of those that lack it. */
  attached: readonly XeRecord[];
  lacking: readonly XeRecord[];
}): FoundState {
  // A copy to another host that was cut off leaves the disc as it was on the others.
  if (folders.some(({ marker }) => marker && !(marker.isCopy && hasSr))) return "pending";
  if (!hasSr) return "folder without SR";
  if (attached.length === 0) return "corpse";
  return isShared && lacking.length > 0 ? "partial" : "live";
}

/**
 * Whether a folder that no SR description names belongs to this package. Mount paths other than the default
 * also hold folders of the storage manager, which have UUIDs of SRs for their names, and folders of others.
 */
function isOurs(
  { folder, marker, releasedOwner, mode, hasOthers }: FoundFolder,
  { srs, pbds }: HostRecords,
): boolean {
  if (marker || releasedOwner !== undefined) return true;
  const isNamed =
    srs.some((sr) => sr["uuid"] === folder.uuid) || pbds.some((pbd) => locationOf(pbd, folder.uuid));
  return mode === "700" && !hasOthers && !isNamed;
}

function imageNameOf(found: FoundFolder | undefined): string | undefined {
  const name = found?.image?.name;
  return name === FILE.upload ? undefined : name;
}

function toFoundSr(sr: XeRecord, pbds: readonly XeRecord[]): FoundSr {
  const own = pbds.filter((pbd) => pbd["sr-uuid"] === sr["uuid"]);
  return {
    uuid: sr["uuid"] ?? "",
    nameLabel: sr["name-label"] ?? "",
    hasPbd: own.length > 0,
    isAttached: own.some((pbd) => pbd["currently-attached"] === "true"),
  };
}

function vdiOf(srUuids: readonly string[], { vdis }: DriveRecords): XeRecord | undefined {
  return vdis.find((vdi) => srUuids.includes(vdi["sr-uuid"] ?? ""));
}

function drivesOf(srUuids: readonly string[], { vdis, vbds, vms }: DriveRecords): FoundDrive[] {
  const vdiUuids = vdis.filter((vdi) => srUuids.includes(vdi["sr-uuid"] ?? "")).map((vdi) => vdi["uuid"]);
  return vbds
    .filter((vbd) => vbd["vdi-uuid"] !== undefined && vdiUuids.includes(vbd["vdi-uuid"]))
    .map((vbd) => ({
      vbdUuid: vbd["uuid"] ?? "",
      vmUuid: vbd["vm-uuid"] ?? "",
      vmName: vbd["vm-name-label"] ?? "",
      powerState: vms.find((vm) => vm["uuid"] === vbd["vm-uuid"])?.["power-state"],
    }));
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
