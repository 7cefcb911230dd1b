import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { v4 as uuidv4 } from "uuid";
import { FILE, pathOf, removeFolder } from "../../provider/host/folder";
import { uploadImage } from "../../provider/host/image";
import { prepareFolder } from "../../provider/host/prepare";
import { localImage } from "../../provider/lifecycle/image-source";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { sh } from "../../provider/ssh/sh";
import { pbdList, srList, vdiList } from "../../provider/xe/commands";
import type { XeRecord } from "../../provider/xe/parse";
import type { Image } from "./images";
import type { Site } from "./site";

/** Names under which times are noted. */
export const TIMING = {
  connect: "connect",
  create: "create of a small image",
  upload: "upload of 64 MiB",
  delete: "delete",
} as const;

/** Check, create, what is on the host then, read, update, delete, read. */
export async function wholeLife(site: Site): Promise<void> {
  const inputs = await site.check();
  const disc = await site.time(TIMING.create, () => site.createFrom(inputs));
  await assertRecords(site, disc);
  await assertFile(site, disc, site.start.images.small);
  assert.equal(await site.statusOf(disc), "ready", "status by a read");

  const news = await site.check({}, { ...inputs });
  const { changes } = await tempIso.diff(disc.srUuid ?? "", disc, news);
  assert.equal(changes, false, "whether the same arguments change anything");
  const { outs } = await tempIso.update(disc.srUuid ?? "", disc, news);
  assert.deepEqual(outs, disc, "outputs after an update with the same connection");

  await site.time(TIMING.delete, () => site.remove(disc));
  assert.equal(await site.statusOf(disc), "gone", "status by a read after the delete");
}

/** The second one is made beside the first, and is there after the first is taken away. */
export async function sameName(site: Site): Promise<void> {
  const isoName = `${site.name}-same.iso`;
  const first = await site.create({ isoName });
  const second = await site.create({ isoName });
  assert.notEqual(first.vdiUuid, second.vdiUuid, "both have one VDI");
  await site.remove(first);
  assert.equal(await site.statusOf(second), "ready", "status of the second by a read");
  await assertRecords(site, second);
  await site.remove(second);
}

/** The upload alone, which gives the image no name yet, so that its rate is not that of the toolstack. */
export async function largeImage(site: Site): Promise<void> {
  const { host, srMountPath, images, signal } = site.start;
  const { path: localPath, sizeBytes } = images.large;
  const folder = { srMountPath, uuid: uuidv4() };
  const isoName = `${site.name}-large.iso`;
  const source = await localImage(localPath);
  const sha256 = await sha256Of(localPath);
  await prepareFolder(host, folder, { owner: site.owner, isoName, sizeBytes });
  await site.time(TIMING.upload, () => uploadImage(host, { folder, image: { source, sha256 }, signal }));
  await assertFile(site, { srPath: pathOf(folder), isoName: FILE.upload }, images.large);
  await removeFolder(host, folder, isoName);
}

/** What xapi has of a disc: an SR, a PBD that is attached, a VDI of that name and size. */
async function assertRecords(site: Site, disc: TempIsoState): Promise<void> {
  const srUuid = disc.srUuid ?? "";
  const sr = only(await site.xe(srList({ uuid: srUuid })), "SR");
  const pbd = only(await site.xe(pbdList({ "sr-uuid": srUuid })), "PBD");
  const vdi = only(await site.xe(vdiList({ "sr-uuid": srUuid })), "VDI");
  assert.equal(sr["name-label"], disc.srName, "name of the SR");
  assert.equal(pbd["uuid"], disc.pbdUuid, "UUID of the PBD");
  assert.equal(pbd["host-uuid"], disc.hostUuid, "host of the PBD");
  assert.equal(pbd["currently-attached"], "true", "whether the PBD is attached");
  assert.equal(vdi["uuid"], disc.vdiUuid, "UUID of the VDI");
  assert.equal(vdi["name-label"], disc.isoName, "name of the VDI");
  assert.equal(vdi["virtual-size"], String(disc.isoSize), "size of the VDI");
}

function only([record, ...others]: readonly XeRecord[], kind: string): XeRecord {
  assert.ok(record !== undefined && others.length === 0, `There is not one ${kind}.`);
  return record;
}

/** The image on the host equals the local one, and nobody but root may read it. */
export async function assertFile(
  site: Site,
  { srPath, isoName }: Pick<TempIsoState, "srPath" | "isoName">,
  image: Image,
): Promise<void> {
  const file = `${srPath}/${isoName}`;
  const [folderMode, fileMode, sum] = (
    await site.run(sh`stat -c %a ${srPath}
stat -c %a ${file}
sha256sum <${file}`)
  ).split("\n");
  assert.equal(folderMode, "700", "mode of the folder");
  assert.equal(fileMode, "600", "mode of the file");
  assert.equal(sum?.slice(0, 64), await sha256Of(image.path), "SHA-256 of the file on the host");
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
