import type { SharedConnection } from "../ssh/shared-connection";
import type { LookedAtHost } from "./find-temp-isos";
import { identify } from "./identify";
import { listPoolHosts, onAll, type PoolHost, type PoolMember } from "./pool";

/** The hosts of a pool, as far as they can be reached. */
export interface ReachedPool {
  /** The host that was named. */
  readonly speaker: LookedAtHost;
  /** The other hosts of its pool that accept the login. */
  readonly others: readonly PoolMember[];
  readonly missing: readonly MissingHost[];
}

/** A host of the pool that cannot be looked at. */
export interface MissingHost extends PoolHost {
  readonly reason: string;
}

/**
 * Logs in to the other hosts of a host's pool. A host that cannot be reached, or refuses the login, is not an error.
 *
 * @param logIn to one of them
 * @throws `HostError`, `XeError`, `SshError` of the host that is named
 */
export async function reachPool(
  host: SharedConnection,
  logIn: (other: PoolHost) => Promise<SharedConnection>,
): Promise<ReachedPool> {
  const uuid = await identify(host);
  const hosts = (await listPoolHosts(host)).filter((each) => each.uuid !== uuid);
  const others: PoolMember[] = [];
  const missing: MissingHost[] = [];
  await onAll(hosts, async (each) => {
    const reached = await reach(each, logIn);
    if (typeof reached === "string") missing.push({ ...each, reason: reached });
    else others.push({ ...each, host: reached });
  });
  return { speaker: { uuid, host }, others, missing };
}

/** @returns why it cannot be reached */
async function reach(
  other: PoolHost,
  logIn: (other: PoolHost) => Promise<SharedConnection>,
): Promise<SharedConnection | string> {
  if (!other.isLive) return "It is offline.";
  try {
    const host = await logIn(other);
    return (await identify(host)) === other.uuid ? host : `Another host answers at ${other.address}.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
