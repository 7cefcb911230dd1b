import { isDeepStrictEqual } from "node:util";
import type { CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { dirname } from "node:path/posix";
import { findTempIso } from "../host/find-temp-iso";
import { folderAt } from "../host/folder";
import { contentOf, knownContentOf } from "../host/plan";
import { RollbackIncompleteError } from "../host/rollback";
import {
  assertSameHost,
  createTempIso,
  deleteTempIso,
  describeTempIso,
  plugTempIso,
  readTempIso,
} from "../host/temp-iso";
import { hashOf } from "../host/twin";
import type { SharedConnection } from "../ssh/shared-connection";
import { XeError } from "../xe/error";
import { CreatedButFailedError } from "./engine-error";
import { warn } from "./engine-log";
import { abandoned, assertWanted } from "./engine-watch";
import { imageOf } from "./image-source";
import type { TempIsoInputs } from "./inputs";
import * as poolTempIso from "./pool-temp-iso";
import { hostOf, isConnectionChanged, isOtherHost, logIn, plannedHost } from "./reached-host";
import { chosenFor, type TempIsoState, updatedState, whatIsLeft } from "./temp-iso-state";
import type { TempIsoStatus } from "./temp-iso-status";
import { isUnknown, UNKNOWN } from "./unknown";
import { sweepCommand, unlessHostIsGone } from "./unreachable";

export type { TempIsoState } from "./temp-iso-state";

/** Arguments whose change always replaces the disc: the schema of the plugin says so too. */
export const REPLACING = ["srMountPath"] as const;

/** Chosen by create if the program does not; the choice stays. */
const CHOSEN = ["srName", "isoName"] as const;

export async function create(inputs: TempIsoInputs): Promise<CreateResult<TempIsoState>> {
  if (inputs.poolWide) return poolTempIso.create(inputs);
  const { owner, organization } = inputs;
  const { folder, chosen } = chosenFor(inputs);
  const image = await imageOf(inputs);
  const { host, reached } = await logIn(inputs);
  const made = { ...inputs, ...chosen, ...reached };
  try {
    const uuids = await createTempIso(host, {
      folder,
      owner,
      organization,
      image,
      isoName: chosen.isoName,
      srName: chosen.srName,
      signal: abandoned(),
      assertWanted,
    });
    const { sizeBytes: isoSize, sha256: isoSha256 } = knownContentOf(image);
    return { id: uuids.srUuid, outs: { ...made, isoSize, isoSha256, ...uuids, status: "ready" } };
  } catch (error) {
    if (!(error instanceof RollbackIncompleteError)) throw error;
    // A host that runs no command, not even an undo, has made nothing, so there is nothing to store.
    if (!host.hasRun) throw error.cause;
    // The folder finds whatever stayed: it is recorded, and the next up replaces it.
    const isoSize = contentOf(image)?.sizeBytes ?? 0;
    // `made` holds the `__provider` among its inputs, without which refresh and destroy would fail.
    throw new CreatedButFailedError(folder.uuid, { ...made, isoSize, status: "incomplete" }, error);
  }
}

/** The outputs that are known before the disc is made; opens the image, but no connection. Downloads nothing. */
export async function preview(inputs: TempIsoInputs): Promise<object> {
  const { files, isoSha256, isoIdentity } = inputs;
  const hasUrlFiles = files !== undefined && isoIdentity !== undefined;
  const isKnown = !hasUrlFiles && !isUnknown(isoSha256) && !isUnknown(isoIdentity);
  const content = isKnown ? contentOf(await imageOf(inputs)) : undefined;
  const isoSize = content && { isoSize: content.sizeBytes };
  const hosts = inputs.poolWide && { hosts: UNKNOWN };
  return { ...inputs, ...isoSize, ...hosts, ...plannedHost(inputs) };
}

/** Stores the changed arguments; the host's objects stay as they are. */
export async function update(olds: TempIsoState, news: TempIsoInputs): Promise<UpdateResult<TempIsoState>> {
  if (olds.poolWide) return poolTempIso.update(olds, news);
  const { host, reached } = await logIn(news);
  await assertSameHost(host, olds);
  if (olds.owner !== news.owner) await describeTempIso(host, { ...olds, owner: news.owner });
  const updated = updatedState(olds, news, reached);
  return {
    outs: olds.status === "partial" ? { ...updated, status: await plugAgain(host, updated) } : updated,
  };
}

/** @returns `lost` if it cannot be plugged: the next up replaces the disc */
async function plugAgain(host: SharedConnection, state: TempIsoState): Promise<TempIsoStatus> {
  try {
    await plugTempIso(host, state);
    return "ready";
  } catch (error) {
    if (!(error instanceof XeError)) throw error;
    await warn(state.owner, `${error.message} The next \`pulumi up\` replaces the disc.`);
    return "lost";
  }
}

export async function read(id: string, state: TempIsoState): Promise<ReadResult<TempIsoState>> {
  if (state.poolWide) return poolTempIso.read(id, state);
  const condition = await readTempIso(await hostOf(state), state);
  const isReleased = condition.state === "gone" || condition.state === "released";
  if (isReleased && state.once && state.status !== "incomplete")
    return { id, props: { ...state, status: "released" } };
  // An empty id drops the resource from the state; returned only if nothing is left of it.
  if (condition.state === "gone") return { id: "" };
  const found = condition.state === "released" ? "lost" : condition.state;
  const status = state.status === "incomplete" ? "incomplete" : found;
  const pbdUuid = "pbdUuid" in condition ? condition.pbdUuid : state.pbdUuid;
  return { id, props: { ...state, ...(pbdUuid && { pbdUuid }), status } };
}

/**
 * Imports a disc on the host of the configuration: its outputs, and the inputs that the host shows. What the
 * disc was made from is left to the program; the same content is no change.
 *
 * @returns undefined when there is no such SR
 */
export async function find(srUuid: string): Promise<{ props: object; inputs: object } | undefined> {
  const { host, reached } = await logIn({});
  const found = await findTempIso(host, srUuid);
  if (!found) return undefined;
  const { isShared, ...iso } = found;
  const { srPath, srName, isoName } = iso;
  const isoSha256 = await hashOf(host, `${srPath}/${isoName}`);
  const ofPool = isShared ? { poolWide: true } : {};
  const hosts = isShared ? { hosts: await poolTempIso.findHosts(host, iso) } : {};
  const inputs = { srMountPath: dirname(srPath), srName, isoName, isoSha256, ...ofPool };
  return { props: { ...inputs, ...iso, ...hosts, ...reached, status: "ready" }, inputs };
}

export async function remove(state: TempIsoState): Promise<void> {
  if (state.poolWide) return poolTempIso.remove(state);
  const left = {
    ...state,
    what: whatIsLeft(state),
    remedy: sweepCommand(state, state.srUuid ?? folderAt(state.srPath).uuid),
  };
  await unlessHostIsGone(left, async () => deleteTempIso(await hostOf(state), state));
}

/** Arguments whose change is an update. */
const TAKEN_OVER = ["hostConnections", "skipOfflineHosts"] as const;

export function diff(olds: TempIsoState, news: TempIsoInputs): DiffResult {
  const isInPlace = olds.status === "ready" || olds.status === "partial";
  const isAsWanted = isInPlace || (olds.status === "released" && news.once === true);
  const replaces: string[] = [
    ...changedContent(olds, news),
    ...REPLACING.filter((name) => news[name] !== olds[name]),
    ...CHOSEN.filter((name) => news[name] !== undefined && news[name] !== olds[name]),
    ...((olds.poolWide ?? false) === (news.poolWide ?? false) ? [] : ["poolWide"]),
    ...(isOtherHost(olds, news) ? ["host"] : []),
    ...(isAsWanted ? [] : ["status"]),
  ];
  const isUpdated =
    olds.status === "partial" ||
    (olds.once ?? false) !== (news.once ?? false) ||
    TAKEN_OVER.some((name) => !isDeepStrictEqual(olds[name], news[name]));
  return { changes: replaces.length > 0 || isUpdated || isConnectionChanged(olds, news), replaces };
}

/** For content from a URL, compares its identity; a checksum of the image counts as its identity too. */
function changedContent(olds: TempIsoState, news: TempIsoInputs): string[] {
  if (news.isoSha256 !== undefined) return news.isoSha256 === olds.isoSha256 ? [] : ["isoSha256"];
  const { isoIdentity } = news;
  const isSame = isoIdentity === olds.isoIdentity || isoIdentity === `sha256:${olds.isoSha256}`;
  return isSame ? [] : ["isoIdentity"];
}
