import type { SharedConnection } from "../ssh/shared-connection";
import { srForget } from "../xe/commands";
import { runXeAgain } from "../xe/run";
import { HostError } from "./error";
import type { FoundTempIso } from "./find-temp-isos";
import { FILE, folderAt, removeFolder } from "./folder";
import { listPoolHosts, onAll } from "./pool";
import { forgetPoolTempIso } from "./pool-temp-iso";
import type { ReachedPool } from "./reach-pool";
import { forgetSr, unlessGone } from "./sr";
import { deleteTempIso, type TempIso } from "./temp-iso";

/**
 * Removes a temporary ISO from every host that has it, and ejects it everywhere. Succeeds if it is already gone.
 *
 * @throws `HostError`, `XeError`, `SshError`
 */
export async function removeFoundTempIso(pool: ReachedPool, found: FoundTempIso): Promise<void> {
  const { srPath, owner, srs, hostUuid, isoName = FILE.upload, sizeBytes = 0 } = found;
  const host = connectionTo(pool, hostUuid) ?? pool.speaker.host;
  const isOnSeveral = found.isShared || found.folderHostUuids.length > 1;
  if (srPath !== undefined && isOnSeveral)
    return removeFromAll(pool, found, { owner: owner ?? "", isoName, isoSize: sizeBytes, srPath });
  if (srPath !== undefined && owner !== undefined) {
    const known = hostUuid === undefined ? {} : { hostUuid };
    return deleteTempIso(host, { owner, isoName, isoSize: sizeBytes, srPath, ...known });
  }
  await forgetSrs(host, srs);
  if (srPath !== undefined) await removeFolder(host, folderAt(srPath), isoName);
}

/** @throws {@link HostError} `HOST_OFFLINE` with nothing changed, if a host was not looked at that may have a folder */
async function removeFromAll(pool: ReachedPool, found: FoundTempIso, iso: TempIso): Promise<void> {
  const { speaker, missing } = pool;
  const [unknown] = missing;
  if (found.isShared && unknown) {
    const message =
      `The host ${unknown.name} may have a folder of it, and was not looked at: ${unknown.reason} ` +
      `Nothing was changed. If the host is gone for good, make the pool forget it (\`xe host-forget uuid=${unknown.uuid}\`).`;
    throw new HostError("HOST_OFFLINE", speaker.host.address, message);
  }
  const hosts = await listPoolHosts(speaker.host);
  const reached = hosts.flatMap((each) => {
    const host = connectionTo(pool, each.uuid);
    return host && found.folderHostUuids.includes(each.uuid) ? [{ ...each, host }] : [];
  });
  // If its create was cut off, an SR may still come.
  const [sr] = found.state === "pending" ? [] : found.srs;
  const known = { ...iso, ...(sr && { srUuid: sr.uuid }) };
  await forgetPoolTempIso({ speaker: speaker.host, members: reached }, hosts, known);
  await onAll(reached, ({ host }) => removeFolder(host, folderAt(iso.srPath), iso.isoName));
}

function connectionTo({ speaker, others }: ReachedPool, hostUuid?: string): SharedConnection | undefined {
  return [speaker, ...others].find(({ uuid }) => uuid === hostUuid)?.host;
}

async function forgetSrs(host: SharedConnection, srs: FoundTempIso["srs"]): Promise<void> {
  for (const { uuid, hasPbd } of srs) {
    if (hasPbd) await forgetSr(host, uuid);
    // Refused if it has a PBD by now.
    else await unlessGone(runXeAgain(host, srForget(uuid)));
  }
}
