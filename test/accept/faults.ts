import assert from "node:assert/strict";
import { FILE } from "../../provider/host/folder";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import { sh } from "../../provider/ssh/sh";
import { pbdUnplug, srForget, srList } from "../../provider/xe/commands";
import { Proxy } from "../simulator/proxy";
import { assertFile } from "./life";
import type { Site } from "./site";

/** Where the connection breaks; what is left of the 64 MiB then is less, so that it breaks once. */
const DROP_AFTER_BYTES = 40 * 1024 ** 2;

/** What was on its way when the connection broke is sent again; all of it would be 104 MiB. */
const MOST_SENT_BYTES = 84 * 1024 ** 2;

/** Through a forwarder on this machine, which breaks the connection. */
export async function droppedConnection(site: Site): Promise<void> {
  const { host, connection, images } = site.start;
  const hostKey = await host.hostKey();
  await using proxy = await Proxy.start(host.target, { dropAfterBytes: DROP_AFTER_BYTES });
  const through = { ...connection, host: proxy.host, port: proxy.port, hostKey };
  const disc = await site.create({ isoPath: images.large.path, connection: through });
  await assertFile(site, disc, images.large);
  const sentBytes = proxy.connections.reduce((sum, { bytesFromClient }) => sum + bytesFromClient, 0);
  assert.ok(proxy.connections.length > 1, "The connection did not break.");
  assert.ok(sentBytes < MOST_SENT_BYTES, `The upload began anew: ${sentBytes} bytes were sent.`);
  await site.remove(disc);
}

/** A check: once somebody has taken a part of a disc away, a read says `lost`, and a delete clears the rest. */
export function lostWhen(byHand: (site: Site, disc: TempIsoState) => Promise<unknown>) {
  return async (site: Site): Promise<void> => {
    const disc = await site.create();
    await byHand(site, disc);
    assert.equal(await site.statusOf(disc), "lost", "status by a read");
    await site.remove(disc);
    assert.equal(await site.statusOf(disc), "gone", "status by a read after the delete");
  };
}

export function removeFile(site: Site, { srPath, isoName }: TempIsoState): Promise<unknown> {
  return site.run(sh`rm -- ${srPath}/${isoName}`);
}

/** Somebody has unplugged the PBD: a read says `partial`, and an update plugs it. */
export async function pluggedAgain(site: Site): Promise<void> {
  const disc = await site.create();
  await unplugByHand(site, disc);
  assert.equal(await site.statusOf(disc), "partial", "status by a read");
  const partial = { ...disc, status: "partial" } as const;
  const inputs = await site.check({}, { ...disc });
  const { outs } = await tempIso.update(disc.srUuid ?? "", partial, inputs);
  assert.equal(outs?.status, "ready", "status after an update");
  assert.equal(await site.statusOf(disc), "ready", "status by a read after the update");
  await site.remove(disc);
}

function unplugByHand(site: Site, { pbdUuid = "" }: TempIsoState): Promise<unknown> {
  return site.xe(pbdUnplug(pbdUuid));
}

export async function forgetByHand(site: Site, disc: TempIsoState): Promise<void> {
  await unplugByHand(site, disc);
  await site.xe(srForget(disc.srUuid ?? ""));
}

/** As a process leaves it that is killed before the engine has the outputs: marked by a session that is no more. */
export async function abandoned(site: Site): Promise<void> {
  const left = await site.create();
  const marker = [`owner=${site.owner}`, `iso=${left.isoName}`, "size=1", "session=1", "started=then"];
  await site.run(sh`printf '%s\n' ${marker} >${left.srPath}/${FILE.pending}`);
  const disc = await site.create();
  assert.deepEqual(await site.xe(srList({ uuid: left.srUuid ?? "" })), [], "the SR of the killed create");
  const folder = await site.run(sh`[ ! -e ${left.srPath} ] || echo ${left.srPath}`);
  assert.equal(folder, "", "the folder of the killed create");
  assert.equal(await site.statusOf(disc), "ready", "status of the disc by a read");
  await site.remove(disc);
}
