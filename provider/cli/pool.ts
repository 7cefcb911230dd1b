import { findPool } from "../host/pool";
import { reachPool as reachPoolBy, type ReachedPool } from "../host/reach-pool";
import { toSshTarget } from "../lifecycle/ssh-target";
import { SharedConnection } from "../ssh/shared-connection";
import { type HostConnection, inFlags } from "./connection-options";
import { say } from "./terminal";

/**
 * Logs in to the other hosts of a host's pool: each at the address that the pool knows, with the same port, user and
 * credentials. A host that refuses the login is not an error.
 *
 * @throws `HostError`, `XeError`, `SshError` of the host that is named
 */
export async function reachPool(host: SharedConnection, connection: HostConnection): Promise<ReachedPool> {
  const pool = await reachPoolBy(await findPool(host), async ({ address }) =>
    SharedConnection.to(await toSshTarget({ ...connection, host: address })),
  );
  return { ...pool, missing: pool.missing.map((each) => ({ ...each, reason: inFlags(each.reason) })) };
}

/** Says which hosts of the pool were not looked at. */
export function sayMissing({ missing }: ReachedPool): void {
  for (const { name, address, reason } of missing)
    say(`The host ${name} (${address}) of the pool was not looked at. ${reason}`);
}
