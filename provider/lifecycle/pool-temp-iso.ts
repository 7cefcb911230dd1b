import type { CreateResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { HostError } from "../host/error";
import { folderAt, removeFolder } from "../host/folder";
import type { KnownImage, TempIsoPlan } from "../host/plan";
import { findPool, type FoundPool, onAll, type Pool, type PoolHost, type PoolMember } from "../host/pool";
import type { TempIso } from "../host/temp-iso";
import {
  copyPoolTempIso,
  createPoolTempIso,
  forgetPoolTempIso,
  isPluggedAnywhere,
  plugOnEach,
  type PoolTempIsoCondition,
  readPoolTempIso,
} from "../host/pool-temp-iso";
import { RollbackIncompleteError } from "../host/rollback";
import { SshError } from "../ssh/error";
import type { SharedConnection } from "../ssh/shared-connection";
import { CreatedButFailedError } from "./engine-error";
import { warn } from "./engine-log";
import { abandoned, assertWanted } from "./engine-watch";
import type { TempIsoInputs } from "./inputs";
import { withKnownImage } from "./kept-image";
import {
  findPoolOf,
  memberConnection,
  membersForCreate,
  membersThatAnswer,
  membersThatAreUp,
  offline,
  type PoolInputs,
  poolOfDisc,
  type StoredPoolHost,
  toStored,
} from "./pool-hosts";
import { logIn, type ReachedHost } from "./reached-host";
import { chosenFor, type TempIsoState, updatedState, whatIsLeft } from "./temp-iso-state";
import { sweepCommand, unlessHostIsGone } from "./unreachable";

/** Creates a `XenTempIso` with `poolWide`. */
export async function create(inputs: TempIsoInputs): Promise<CreateResult<TempIsoState>> {
  const { host, reached } = await logIn(inputs);
  const pool = await findPool(host);
  const members = await membersForCreate(pool, inputs);
  return withKnownImage(inputs, (image) => createOn(members, { inputs, image, pool, reached }));
}

async function createOn(
  members: readonly PoolMember[],
  {
    inputs,
    image,
    pool,
    reached,
  }: { inputs: TempIsoInputs; image: KnownImage; pool: FoundPool; reached: ReachedHost },
): Promise<CreateResult<TempIsoState>> {
  const { folder, chosen } = chosenFor(inputs);
  const { address } = pool.speaker;
  const [coordinator] = members;
  if (!coordinator) throw new HostError("HOST_OFFLINE", address, `The pool of ${address} has no host.`);
  const content = { isoSize: image.source.sizeBytes, isoSha256: image.sha256 };
  const made = { ...inputs, ...chosen, ...content, ...reached };
  try {
    const plan = { ...planOf(inputs, chosen), folder, image };
    const { srUuid, vdiUuid, pbdUuids } = await createPoolTempIso(
      { speaker: coordinator.host, members },
      plan,
    );
    const hostUuid = pool.speakerUuid;
    const pbdUuid = pbdUuids.get(hostUuid) ?? "";
    const hosts = await toStored(members, pbdUuids);
    return { id: srUuid, outs: { ...made, srUuid, vdiUuid, hostUuid, pbdUuid, hosts, status: "ready" } };
  } catch (error) {
    if (!(error instanceof RollbackIncompleteError)) throw error;
    const hosts = await toStored(members).catch(() => undefined);
    throw new CreatedButFailedError(
      folder.uuid,
      { ...made, ...(hosts && { hosts }), status: "incomplete" },
      error,
    );
  }
}

/** Stores changed arguments, and copies the disc to hosts that lack it. */
export async function update(olds: TempIsoState, news: TempIsoInputs): Promise<UpdateResult<TempIsoState>> {
  const { host, reached } = await logIn(news);
  const pool = await poolOfDisc(await findPool(host), news, olds);
  const { speaker } = pool;
  // The hosts' keys come from the program, as for a new disc: it may name a new key.
  const members = await membersThatAreUp(pool, news);
  const disc = { ...olds, owner: news.owner };
  const condition = await readPoolTempIso({ speaker, members }, pool.hosts, disc);
  const updated = updatedState(olds, news, reached);
  const { srUuid } = olds;
  if (["lost", "released", "gone"].includes(condition.state) || !srUuid) {
    const status = olds.status === "released" ? "released" : "lost";
    return { outs: { ...updated, status } };
  }
  try {
    await bringToAll({ speaker, members }, condition, { olds, news, srUuid });
  } catch (error) {
    const isNotAttached = error instanceof HostError && error.code === "NOT_ATTACHED";
    if (!isNotAttached || (await isPluggedAnywhere(speaker, srUuid))) throw error;
    await warn(news.owner, `${error.message} The next \`pulumi up\` replaces the disc.`);
    return { outs: { ...updated, status: "lost" } };
  }
  const hosts = [...(await toStored(members, condition.pbdUuids)), ...awayOf(olds, pool.hosts, members)];
  const isOnAll = condition.lacking.every((uuid) => members.some((member) => member.uuid === uuid));
  return { outs: { ...updated, hosts, status: isOnAll ? "ready" : "partial" } };
}

/** Plugs the disc where the image is, then copies the image to where it is missing, even if a plug failed. */
async function bringToAll(
  { speaker, members }: Pool,
  { lacking, unplugged }: PoolTempIsoCondition,
  { olds, news, srUuid }: { olds: TempIsoState; news: TempIsoInputs; srUuid: string },
): Promise<void> {
  const withImage = members.filter(({ uuid }) => unplugged.includes(uuid));
  const without = members.filter(({ uuid }) => lacking.includes(uuid) && !unplugged.includes(uuid));
  try {
    if (withImage.length > 0) await plugOnEach(speaker, withImage, srUuid);
  } finally {
    if (without.length > 0)
      await withKnownImage(news, ({ source }) => {
        const { isoSha256: sha256 = "", srPath } = olds;
        const plan = { ...planOf(olds, olds), folder: folderAt(srPath), image: { source, sha256 } };
        return copyPoolTempIso(speaker, without, { srUuid, plan });
      });
  }
}

export async function read(id: string, state: TempIsoState): Promise<ReadResult<TempIsoState>> {
  const pool = await findPoolOf(state);
  // A host that joined since may be reachable only with the program's fields.
  const isStored = ({ uuid }: PoolHost) => state.hosts?.some((host) => host.uuid === uuid) ?? true;
  const known = { ...pool, hosts: pool.hosts.filter(isStored) };
  const members = await membersThatAreUp(known, state, state.hosts);
  const condition = await readPoolTempIso({ speaker: pool.speaker, members }, pool.hosts, state);
  const isReleased = condition.state === "gone" || condition.state === "released";
  if (isReleased && state.once && state.status !== "incomplete")
    return { id, props: { ...state, status: "released" } };
  if (condition.state === "gone") return { id: "" };
  const found = condition.state === "released" ? "lost" : condition.state;
  const status = state.status === "incomplete" ? "incomplete" : found;
  const hosts = (state.hosts ?? []).map((host) => {
    const pbdUuid = condition.pbdUuids.get(host.uuid) ?? host.pbdUuid;
    return { ...host, ...(pbdUuid && { pbdUuid }) };
  });
  const pbdUuid = condition.pbdUuids.get(state.hostUuid ?? "") ?? state.pbdUuid;
  return { id, props: { ...state, hosts, ...(pbdUuid && { pbdUuid }), status } };
}

/** The hosts of a disc that is imported, reached by the configuration. */
export async function findHosts(speaker: SharedConnection, iso: TempIso): Promise<StoredPoolHost[]> {
  const pool = await findPool(speaker);
  const members = await membersThatAreUp(pool, { owner: iso.owner });
  const { lacking, pbdUuids } = await readPoolTempIso({ speaker, members }, pool.hosts, iso);
  return toStored(
    members.filter(({ uuid }) => !lacking.includes(uuid)),
    pbdUuids,
  );
}

export async function remove(state: TempIsoState): Promise<void> {
  const left = {
    ...state,
    what: whatIsLeft(state),
    remedy: sweepCommand(state, state.srUuid ?? folderAt(state.srPath).uuid),
  };
  const pool = await unlessHostIsGone(left, () => findPoolOf(state));
  if (pool) await removeFromPool(pool, state, state);
}

/**
 * Removes a disc from every host of its pool. Skips a host that has left the pool: its PBD is gone with it.
 *
 * @throws `HostError`, `XeError`, `SshError` of a host that does not answer, unless that is allowed
 */
export async function removeFromPool(
  pool: FoundPool,
  inputs: PoolInputs,
  iso: TempIso & { readonly hosts?: readonly StoredPoolHost[] },
): Promise<void> {
  const { hosts: stored = [], srPath, isoName } = iso;
  // To look where sr-create was sent. Otherwise the pool knows everything.
  const members = iso.srUuid ? [] : await membersThatAnswer(pool, inputs, stored);
  await forgetPoolTempIso({ speaker: pool.speaker, members }, pool.hosts, iso);
  const isStored = ({ uuid }: PoolHost) => stored.length === 0 || stored.some((host) => host.uuid === uuid);
  const removeFrom = async (host: PoolHost) => {
    if (!host.isLive) throw offline(host);
    const connection = await memberConnection(pool, inputs, host, stored);
    await removeFolder(connection, folderAt(srPath), isoName);
  };
  const isSpeaker = ({ uuid }: PoolHost) => uuid === pool.speakerUuid;
  const removeFromAll = (hosts: readonly PoolHost[]) =>
    onAll(hosts, async (host) => {
      const what = `${srPath}/${isoName}`;
      const remedy = `npx pulumi-xen-iso sweep --host ${host.address} --uuid ${folderAt(srPath).uuid}`;
      if (!isStored(host)) return removeFrom(host).catch(warnOfCopy({ inputs, host, what, remedy }));
      return unlessHostIsGone({ owner: inputs.owner, host: host.name, what, remedy }, () => removeFrom(host));
    });
  // The speaker's folder goes last: a release that is cut off before finds the rest by it.
  await removeFromAll(pool.hosts.filter((host) => !isSpeaker(host))).finally(() =>
    removeFromAll(pool.hosts.filter(isSpeaker)),
  );
}

/** This host joined after the create. It has a copy only if an update that was to bring it there failed. */
const warnOfCopy =
  ({ inputs, host, what, remedy }: { inputs: PoolInputs; host: PoolHost; what: string; remedy: string }) =>
  async (error: unknown): Promise<void> => {
    if (!(error instanceof SshError)) throw error;
    if (!host.isLive) return;
    await warn(
      inputs.owner,
      `${error.message} The host ${host.name} joined the pool after the disc was made, and was not searched for ${what}. ` +
        `If an update that brought the disc there failed, remove it with \`${remedy}\`.`,
    );
  };

function planOf(
  { owner, organization }: TempIsoInputs,
  { isoName, srName }: Pick<TempIsoState, "isoName" | "srName">,
): Omit<TempIsoPlan, "folder" | "image"> {
  return { owner, organization, isoName, srName, signal: abandoned(), assertWanted };
}

/** Hosts that have the disc but are offline stay recorded. */
function awayOf(
  { hosts = [] }: TempIsoState,
  ofPool: readonly PoolHost[],
  members: readonly PoolHost[],
): NonNullable<TempIsoState["hosts"]> {
  return hosts.filter(
    ({ uuid }) =>
      ofPool.some((host) => host.uuid === uuid) && !members.some((member) => member.uuid === uuid),
  );
}
