import type { SharedConnection } from "../ssh/shared-connection";
import type { LookedAtHost } from "./find-temp-isos";
import { identify } from "./identify";
import { type FoundPool, onAll, type PoolHost, type PoolMember } from "./pool";

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
 * Logs in to the other hosts of a pool. A host that cannot be reached, or refuses the login, is not an error.
 *
 * @param logIn to one of them
 */
export async function reachPool(
  { speaker, speakerUuid, hosts }: FoundPool,
  logIn: (other: PoolHost) => Promise<SharedConnection>,
): Promise<ReachedPool> {
  const others: PoolMember[] = [];
  const missing: MissingHost[] = [];
  const rest = hosts.filter(({ uuid }) => uuid !== speakerUuid);
  await onAll(rest, async (each) => {
    const reached = await reach(each, logIn);
    if (typeof reached === "string") missing.push({ ...each, reason: reached });
    else others.push({ ...each, host: reached });
  });
  return { speaker: { uuid: speakerUuid, host: speaker }, others, missing };
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
