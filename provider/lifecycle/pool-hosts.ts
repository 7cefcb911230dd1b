import { HostError } from "../host/error";
import { folderAt } from "../host/folder";
import { identify } from "../host/identify";
import { findPool, type FoundPool, onEach, type PoolHost, type PoolMember } from "../host/pool";
import { findSrs } from "../host/sr";
import type { TempIso } from "../host/temp-iso";
import { isSilentHost, SshError } from "../ssh/error";
import type { SharedConnection } from "../ssh/shared-connection";
import { type ConnectionInputs, effectiveConnection } from "./connection";
import { hasCredentials, logInTo } from "./credentials";
import { warn } from "./engine-log";
import { hostOf, type ReachedHost } from "./reached-host";

/** A host of the pool that has the disc, as outputs record it. */
export interface StoredPoolHost {
  /** INSTALLATION_UUID. */
  readonly uuid: string;
  /** `name-label`. */
  readonly name: string;
  readonly address: string;
  /** Unknown while the disc is `incomplete`. */
  readonly pbdUuid?: string;
  /** The public key that the host proved to own: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

/** How to reach the hosts of a pool. */
export interface PoolInputs {
  readonly owner: string;
  readonly connection?: ConnectionInputs;
  /** By `name-label` or address of a host: fields that differ from `connection`. */
  readonly hostConnections?: Readonly<Record<string, ConnectionInputs>>;
  readonly skipOfflineHosts?: boolean;
}

/** By what a host's fields in `hostConnections` are found, and its key if it is known. */
interface NamedHost {
  readonly name: string;
  readonly address: string;
  readonly hostKey?: string;
}

/** An existing disc, with what finds it in its pool. */
type PoolDisc = Pick<TempIso, "srPath"> & { readonly hosts?: readonly StoredPoolHost[] };

/**
 * The pool of an existing disc, asked from the host that its `connection` named, or from another one if that is
 * gone or has left the pool.
 *
 * @throws {@link SshError} of the first host; {@link HostError} `OTHER_HOST`
 */
export async function findPoolOf(state: PoolInputs & ReachedHost & PoolDisc): Promise<FoundPool> {
  return poolOfDisc(await findPool(await speakerOf(state)), state, state, state);
}

/**
 * The pool that has a disc. If hosts of the disc are missing from this pool, which does not know its SR, they are asked:
 * a host that was ejected from its pool is in one of its own.
 *
 * @param inputs how to reach those hosts
 * @throws {@link HostError} `OTHER_HOST` if none of the hosts that have the disc is in the pool; {@link SshError} of a
 * missing host that cannot be asked, if at least half of the hosts are missing: the disc may still be on them
 */
export async function poolOfDisc(
  pool: FoundPool,
  inputs: PoolInputs,
  { srPath, hosts: stored = [] }: PoolDisc,
  like: LoginName = effectiveConnection(inputs.connection),
): Promise<FoundPool> {
  const folder = folderAt(srPath);
  const missing = stored.filter(({ uuid }) => !pool.hosts.some((host) => host.uuid === uuid));
  if (missing.length > 0 && (await findSrs(pool.speaker, folder)).length === 0) {
    const failures: unknown[] = [];
    const others = await onEach(missing, (each) =>
      connected(logInToMember(inputs, each, like)).catch((error: unknown) => void failures.push(error)),
    );
    for (const other of others)
      if (other && (await findSrs(other, folder)).length > 0) return findPool(other);
    const isMost = missing.length * 2 >= stored.length;
    if (isMost && failures.length > 0) throw failures[0];
  }
  assertSamePool(pool, stored);
  return pool;
}

function assertSamePool({ speaker, hosts }: FoundPool, stored: readonly StoredPoolHost[]): void {
  if (stored.length === 0 || stored.some(({ uuid }) => hosts.some((host) => host.uuid === uuid))) return;
  const message =
    `${speaker.address} is in another pool than the disc: none of the disc's hosts (${stored.map(({ name }) => name).join(", ")}) is in it. ` +
    `Set connection.host to a host of the disc's pool.`;
  throw new HostError("OTHER_HOST", speaker.address, message);
}

async function speakerOf(state: PoolInputs & ReachedHost & PoolDisc): Promise<SharedConnection> {
  try {
    return await connected(hostOf(state));
  } catch (error) {
    if (!isSilentHost(error)) throw error;
    for (const each of state.hosts ?? []) {
      const other = await connected(logInToMember(state, each, state)).catch(() => undefined);
      if (other) return other;
    }
    throw error;
  }
}

/**
 * Waits until the host has proved its key, accepted the login, and answered: an open connection may lead to a
 * host that is gone.
 */
async function connected(login: Promise<SharedConnection>): Promise<SharedConnection> {
  const host = await login;
  await identify(host);
  return host;
}

/**
 * The hosts that get a new disc. A host that is disabled or offline is an error, or, with `skipOfflineHosts`, a warning.
 *
 * @throws {@link HostError} `HOST_OFFLINE`, {@link SshError}
 */
export async function membersForCreate(pool: FoundPool, inputs: PoolInputs): Promise<PoolMember[]> {
  const { speaker, speakerUuid, hosts } = pool;
  // Both answer, and xapi makes the SR from the coordinator's folder.
  const isNeeded = ({ uuid, isCoordinator }: PoolHost) => isCoordinator || uuid === speakerUuid;
  const away = hosts.filter((host) => !host.isEnabled || !host.isLive);
  const [first] = away;
  if (first && !inputs.skipOfflineHosts) {
    const message =
      `The host ${first.name} of the pool is ${stateOf(first)}, and cannot get the disc. ` +
      `Bring it back, or set skipOfflineHosts to make the disc on the other hosts.`;
    throw new HostError("HOST_OFFLINE", speaker.address, message);
  }
  const skipped = away.filter((host) => !isNeeded(host));
  for (const host of skipped)
    await warn(inputs.owner, `The disc is not on ${host.name}, which is ${stateOf(host)}. ${NEXT_UP}`);
  const wanted = hosts.filter((host) => !skipped.includes(host));
  return connectTo(wanted, pool, inputs, { onSilent: unlessSkipped(inputs, isNeeded) });
}

/**
 * The hosts of an existing disc that are up, including disabled ones: HA keeps a host disabled if a PBD is not
 * plugged.
 */
export function membersThatAreUp(
  pool: FoundPool,
  inputs: PoolInputs,
  stored: readonly StoredPoolHost[] = [],
): Promise<PoolMember[]> {
  return connectTo(pool.hosts.filter(isUp), pool, inputs, { stored, onSilent: unlessSkipped(inputs) });
}

/** The hosts that are up, without those that do not answer. */
export function membersThatAnswer(
  pool: FoundPool,
  inputs: PoolInputs,
  stored: readonly StoredPoolHost[],
): Promise<PoolMember[]> {
  const onSilent = () => Promise.resolve();
  return connectTo(pool.hosts.filter(isUp), pool, inputs, { stored, onSilent });
}

const isUp = ({ isLive }: PoolHost) => isLive;

/** A host that does not answer is an error, or, with `skipOfflineHosts`, a warning. */
const unlessSkipped =
  (inputs: PoolInputs, isNeeded: (host: PoolHost) => boolean = () => false): OnSilent =>
  async (error, host) => {
    if (!inputs.skipOfflineHosts || isNeeded(host)) throw error;
    await warn(inputs.owner, `${error.message} The disc was not checked on ${host.name}. ${NEXT_UP}`);
  };

type OnSilent = (error: SshError, host: PoolHost) => Promise<void>;

/** The connection to one host of an existing disc. */
export function memberConnection(
  { speaker, speakerUuid }: FoundPool,
  inputs: PoolInputs,
  host: PoolHost,
  stored: readonly StoredPoolHost[],
): Promise<SharedConnection> {
  if (host.uuid === speakerUuid) return Promise.resolve(speaker);
  const hostKey = stored.find(({ uuid }) => uuid === host.uuid)?.hostKey;
  const member = { ...host, ...(hostKey && { hostKey }) };
  return logInToMember(inputs, member, effectiveConnection(inputs.connection));
}

type LoginName = Pick<ConnectionInputs, "host" | "port" | "user">;

/** @param like the host whose newest credentials are those of the pool */
function logInToMember(inputs: PoolInputs, member: NamedHost, like: LoginName): Promise<SharedConnection> {
  const connection = connectionOf(inputs, member);
  return logInTo(connection, hasCredentials(ownFieldsOf(inputs, member)) ? connection : like);
}

async function connectTo(
  hosts: readonly PoolHost[],
  pool: FoundPool,
  inputs: PoolInputs,
  { stored = [], onSilent }: { stored?: readonly StoredPoolHost[]; onSilent: OnSilent },
): Promise<PoolMember[]> {
  const members = await onEach(hosts, async (each): Promise<PoolMember | undefined> => {
    try {
      const host = await connected(memberConnection(pool, inputs, each, stored));
      return { ...each, host };
    } catch (error) {
      if (!isSilentHost(error)) throw withWayOut(error, each);
      await onSilent(error, each);
      return undefined;
    }
  });
  return members.filter((member) => member !== undefined);
}

/** The message speaks of `connection`, which is right for the other hosts. */
function withWayOut(error: unknown, { name }: PoolHost): unknown {
  if (!(error instanceof SshError)) return error;
  const message = `${error.message} This is the host ${name} of the pool: set what it has of its own in hostConnections: { "${name}": { … } }.`;
  return new SshError(error.code, error.host, message, { cause: error });
}

const NEXT_UP = "Once the host is back, the next `pulumi up --refresh` brings it there.";

const stateOf = ({ isLive }: PoolHost) => (isLive ? "disabled" : "offline");

/** Uses the host's own address; its fields in `hostConnections` override those of `connection`. */
function connectionOf(inputs: PoolInputs, { name, address, hostKey }: NamedHost): ConnectionInputs {
  const common = effectiveConnection(inputs.connection);
  const isChecked = common.hostKey !== "ignore" && hostKey !== undefined;
  return {
    ...common,
    host: address,
    ...ownFieldsOf(inputs, { name, address }),
    ...(isChecked && { hostKey }),
  };
}

const ownFieldsOf = ({ hostConnections = {} }: PoolInputs, { name, address }: NamedHost) =>
  hostConnections[address] ?? hostConnections[name];

/** What outputs record of each host that has the disc. */
export async function toStored(
  members: readonly PoolMember[],
  pbdUuids: ReadonlyMap<string, string> = new Map(),
): Promise<StoredPoolHost[]> {
  return onEach(members, async ({ uuid, name, address, host }) => {
    const pbdUuid = pbdUuids.get(uuid);
    return { uuid, name, address, ...(pbdUuid && { pbdUuid }), hostKey: await host.hostKey() };
  });
}

/** A host whose heartbeat xapi does not receive counts as unreachable. */
export const offline = ({ name, address }: PoolHost) =>
  new SshError("UNREACHABLE", address, `The host ${name} (${address}) is offline.`);
