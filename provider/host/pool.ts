import { Semaphore } from "../ssh/semaphore";
import type { SharedConnection } from "../ssh/shared-connection";
import { hostList, poolList } from "../xe/commands";
import { runXeAgain } from "../xe/run";
import type { Folder } from "./folder";
import { identify } from "./identify";
import { whileLeased } from "./marker";
import { field } from "./sr";

/** A host as its pool knows it. */
export interface PoolHost {
  /** INSTALLATION_UUID. */
  readonly uuid: string;
  /** `name-label`. */
  readonly name: string;
  /** The address to connect to. */
  readonly address: string;
  /** Whether VMs may start on it. */
  readonly isEnabled: boolean;
  /** Whether the coordinator receives its heartbeat. */
  readonly isLive: boolean;
  readonly isCoordinator: boolean;
}

/** A host of a pool, and the connection to it. */
export interface PoolMember extends PoolHost {
  readonly host: SharedConnection;
}

/** A pool, as one of its hosts reports it. */
export interface FoundPool {
  readonly speaker: SharedConnection;
  /** UUID of that host. */
  readonly speakerUuid: string;
  /** All of them, the coordinator first. */
  readonly hosts: readonly PoolHost[];
}

export async function findPool(speaker: SharedConnection): Promise<FoundPool> {
  const [speakerUuid, hosts] = await Promise.all([identify(speaker), listPoolHosts(speaker)]);
  return { speaker, speakerUuid, hosts };
}

/** The hosts of a pool that a disc is on, and the one that answers questions about the pool. */
export interface Pool {
  readonly speaker: SharedConnection;
  readonly members: readonly PoolMember[];
}

/** How many hosts are worked on at a time. */
export const MAX_HOSTS = 32;

/** The hosts of the pool that a host belongs to, the coordinator first. */
export async function listPoolHosts(host: SharedConnection): Promise<PoolHost[]> {
  const [[pool], records] = await Promise.all([runXeAgain(host, poolList()), runXeAgain(host, hostList({}))]);
  const hosts = records.map((record) => ({
    uuid: field(record, "uuid"),
    name: field(record, "name-label"),
    address: field(record, "address"),
    isEnabled: record["enabled"] === "true",
    isLive: record["host-metrics-live"] !== "false",
    isCoordinator: record["uuid"] === pool?.["master"],
  }));
  return hosts.sort((one, other) => Number(other.isCoordinator) - Number(one.isCoordinator));
}

/**
 * Works on hosts in parallel. If one fails, aborts the others by the signal, and waits for them.
 *
 * @returns what `work` returned for each, in order
 * @throws the first failure
 */
export async function onEach<M, T>(
  members: readonly M[],
  work: (member: M, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const failure = new AbortController();
  const semaphore = new Semaphore(MAX_HOSTS);
  const results = await Promise.allSettled(
    members.map((member) =>
      semaphore.use(async () => {
        failure.signal.throwIfAborted();
        try {
          return await work(member, failure.signal);
        } catch (error) {
          failure.abort(error);
          throw error;
        }
      }),
    ),
  );
  failure.signal.throwIfAborted();
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

/** Works on hosts in parallel; a failure on one does not stop the others. */
export async function onAll<M>(members: readonly M[], work: (member: M) => Promise<void>): Promise<void> {
  const failures: unknown[] = [];
  await onEach(members, (member) => work(member).catch((error: unknown) => void failures.push(error)));
  if (failures.length > 0) throw failures[0];
}

/** Renews the markers of a folder on every host while `work` runs. */
export function whileLeasedOnAll<T>(
  members: readonly PoolMember[],
  folder: Folder,
  work: () => Promise<T>,
): Promise<T> {
  return members.reduce(
    (inner, { host }) =>
      () =>
        whileLeased(host, folder, inner),
    work,
  )();
}
