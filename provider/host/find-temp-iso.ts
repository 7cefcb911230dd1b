import type { SharedConnection } from "../ssh/shared-connection";
import { pbdList, srList, vdiList } from "../xe/commands";
import { runXeAgain } from "../xe/run";
import { HostError } from "./error";
import { DEFAULT_SR_MOUNT_PATH } from "./folder";
import { identify } from "./identify";
import { parseNameDescription } from "./name-description";
import { field, locationOf } from "./sr";
import type { TempIso } from "./temp-iso";

/**
 * Finds a temporary ISO by its SR, whose description names its folder and its owner.
 *
 * @returns undefined when there is no such SR
 * @throws {@link HostError} `NOT_OUR_SR` when something else made it, `OTHER_HOST` when its folder is on another
 * member of the pool
 */
export async function findTempIso(
  host: SharedConnection,
  srUuid: string,
): Promise<(TempIso & { readonly srName: string; readonly isShared: boolean }) | undefined> {
  const [hostUuid, [sr], pbds, vdis] = await Promise.all([
    identify(host),
    runXeAgain(host, srList({ uuid: srUuid })),
    runXeAgain(host, pbdList({ "sr-uuid": srUuid })),
    runXeAgain(host, vdiList({ "sr-uuid": srUuid })),
  ]);
  if (!sr) return undefined;

  const label = `${field(sr, "name-label")} (${srUuid})`;
  const description = parseNameDescription(field(sr, "name-description"));
  const locations = pbds.map((pbd) => description && locationOf(pbd, description.folderUuid));
  const [vdi, ...others] = vdis;
  if (!description || locations.includes(undefined) || others.length > 0) {
    const message =
      `The SR ${label} in the pool of ${host.address} is not, or no longer, that of a temporary ISO of this package. ` +
      `Check srUuid; nothing was changed. Remove any other SR by hand.`;
    throw new HostError("NOT_OUR_SR", host.address, message);
  }
  const isShared = sr["shared"] === "true";
  if (!isShared && !pbds.every((pbd) => field(pbd, "host-uuid") === hostUuid)) {
    const message =
      `The SR ${label} is on another host of the pool than ${host.address}. ` +
      `Set connection.host to the one on which the disc was made; nothing was changed.`;
    throw new HostError("OTHER_HOST", host.address, message);
  }
  const { owner, folderUuid } = description;
  // Without a PBD, the folder is assumed to be in the default mount path.
  const [srPath = `${DEFAULT_SR_MOUNT_PATH}/${folderUuid}`] = locations;
  // Without a VDI there is no image, or no scan has found it. Then the folder is not empty, and stays.
  const isoName = vdi ? field(vdi, "location") : `${folderUuid}.iso`;
  const pbd = pbds.find((each) => each["host-uuid"] === hostUuid) ?? pbds[0];
  const uuids = {
    srUuid,
    ...(pbd && { pbdUuid: field(pbd, "uuid") }),
    ...(vdi && { vdiUuid: field(vdi, "uuid") }),
  };
  const isoSize = Number(vdi?.["virtual-size"] ?? 0);
  return { owner, srName: field(sr, "name-label"), isoName, isoSize, srPath, hostUuid, ...uuids, isShared };
}
