import { findTempIsos } from "../host/find-temp-isos";
import { onEach } from "../host/pool";
import type { ReachedPool } from "../host/reach-pool";
import type { SharedConnection } from "../ssh/shared-connection";
import { errorInFlags, type HostConnection } from "./connection-options";
import { type HostFacts, readHostFacts } from "./host-facts";
import { reachPool } from "./pool";

/** What `doctor` reads of a pool: the other hosts, and the discs. */
export interface PoolFacts {
  /** The hosts besides the one that was named. */
  readonly members: readonly MemberFacts[];
  /** For each host, by name, how many discs of the whole pool it lacks. */
  readonly lacking: ReadonlyMap<string, number>;
  /** How many discs of the whole pool there are. */
  readonly discs: number;
  /** SR UUIDs of the lost discs: the SR is not attached, or its image is gone. */
  readonly corpses: readonly string[];
}

/** What `doctor` reads of another host of the pool. */
export interface MemberFacts {
  readonly uuid: string;
  readonly name: string;
  readonly address: string;
  /** Whether VMs may start on it. */
  readonly isEnabled: boolean;
  /** What it says, or why it was not asked. */
  readonly facts: HostFacts | { readonly problem: string };
}

/**
 * Reads the other hosts of a host's pool, which of them lack a disc of the whole pool, and which discs are lost;
 * changes nothing.
 *
 * @throws `HostError`, `XeError`, `SshError` of the host that is named
 */
export async function readPoolFacts(
  host: SharedConnection,
  { connection, srMountPaths }: { connection: HostConnection; srMountPaths: readonly string[] },
): Promise<PoolFacts> {
  const pool = await reachPool(host, connection);
  const [reached, { tempIsos, hostNames }] = await Promise.all([
    readMembers(pool, srMountPaths),
    findTempIsos(host, srMountPaths, pool.others),
  ]);
  const missing = pool.missing.map(({ reason, ...each }) => ({ ...each, facts: { problem: reason } }));
  const shared = tempIsos.filter(({ isShared }) => isShared);
  const lackedBy = (uuid: string) => shared.filter(({ lackingHostUuids }) => lackingHostUuids.includes(uuid));
  return {
    members: [...reached, ...missing],
    lacking: new Map([...hostNames].map(([uuid, name]) => [name, lackedBy(uuid).length])),
    discs: shared.length,
    corpses: tempIsos
      .filter(({ state, isReached, isUnderWay }) => state === "corpse" && isReached && !isUnderWay)
      .flatMap(({ srs }) => srs.map(({ uuid }) => uuid)),
  };
}

function readMembers({ others }: ReachedPool, srMountPaths: readonly string[]): Promise<MemberFacts[]> {
  return onEach(others, async ({ uuid, name, address, isEnabled, host }) => {
    const facts = await readHostFacts(host, srMountPaths).catch((error: unknown) => ({
      problem: errorInFlags(error),
    }));
    return { uuid, name, address, isEnabled, facts };
  });
}
