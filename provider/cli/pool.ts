import { listPoolHosts, onAll, type PoolHost, type PoolMember } from "../host/pool";
import { identify } from "../host/identify";
import type { MissingHost, ReachedPool } from "../host/remove-found";
import { toSshTarget } from "../lifecycle/ssh-target";
import { SharedConnection } from "../ssh/shared-connection";
import { errorInFlags, type HostConnection } from "./connection-options";
import { say } from "./terminal";

/**
 * Logs in to the other hosts of a host's pool: each at the address that the pool knows, with the same port, user and
 * credentials. A host that refuses the login is not an error.
 *
 * @throws `HostError`, `XeError`, `SshError` of the host that is named
 */
export async function reachPool(host: SharedConnection, connection: HostConnection): Promise<ReachedPool> {
  const uuid = await identify(host);
  const hosts = (await listPoolHosts(host)).filter((each) => each.uuid !== uuid);
  const others: PoolMember[] = [];
  const missing: MissingHost[] = [];
  await onAll(hosts, async (each) => {
    const reached = await reach(each, connection);
    if (typeof reached === "string") missing.push({ ...each, reason: reached });
    else others.push({ ...each, host: reached });
  });
  return { speaker: { uuid, host }, others, missing };
}

/** @returns why it cannot be reached */
async function reach(
  { uuid, address, isLive }: PoolHost,
  connection: HostConnection,
): Promise<SharedConnection | string> {
  if (!isLive) return "It is offline.";
  try {
    const host = SharedConnection.to(await toSshTarget({ ...connection, host: address }));
    if ((await identify(host)) === uuid) return host;
    return `Another host answers at ${address}.`;
  } catch (error) {
    return errorInFlags(error);
  }
}

/** Says which hosts of the pool were not looked at. */
export function sayMissing({ missing }: ReachedPool): void {
  for (const { name, address, reason } of missing)
    say(`The host ${name} (${address}) of the pool was not looked at. ${reason}`);
}
