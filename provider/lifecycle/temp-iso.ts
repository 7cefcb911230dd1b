import type { CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { dirname } from "node:path/posix";
import { v4 as uuidv4 } from "uuid";
import { findTempIso } from "../host/find-temp-iso";
import { folderAt } from "../host/folder";
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
import { imageSource } from "./image-source";
import { defaultIsoName, nameOf, type TempIsoInputs } from "./inputs";
import {
  hostOf,
  isConnectionChanged,
  isOtherHost,
  logIn,
  plannedHost,
  type ReachedHost,
} from "./reached-host";
import type { TempIsoStatus } from "./temp-iso-status";
import { isUnknown } from "./unknown";
import { sweepCommand, unlessHostIsGone } from "./unreachable";

/** The outputs of a `XenTempIso` as they are stored. */
export interface TempIsoState extends TempIsoInputs, ReachedHost {
  readonly srName: string;
  readonly isoName: string;
  /** Absolute folder on the host. */
  readonly srPath: string;
  /** In bytes. */
  readonly isoSize: number;
  readonly status: TempIsoStatus;
  /** INSTALLATION_UUID; like the following, unknown while `incomplete`. */
  readonly hostUuid?: string;
  readonly srUuid?: string;
  readonly pbdUuid?: string;
  readonly vdiUuid?: string;
}

/** Changing any of these replaces the disc. */
const REPLACING = ["isoSha256", "srMountPath"] as const;

/** Chosen by create if the program gives none; the choice then stays. */
const CHOSEN = ["srName", "isoName"] as const;

type Made = Omit<TempIsoState, Exclude<keyof TempIsoInputs, (typeof CHOSEN)[number]> | keyof ReachedHost>;

/**
 * What create made or chose, which an update keeps. Of the rest it stores what the program gives today: the engine
 * knows a secret by its place in the inputs, and would store in plain one that is no longer there.
 */
const MADE: Readonly<Record<keyof Made, true>> = {
  srName: true,
  isoName: true,
  srPath: true,
  isoSize: true,
  status: true,
  hostUuid: true,
  srUuid: true,
  pbdUuid: true,
  vdiUuid: true,
};

export async function create(inputs: TempIsoInputs): Promise<CreateResult<TempIsoState>> {
  const { owner, srMountPath, isoSha256, nonce: folderUuid = uuidv4() } = inputs;
  const chosen = {
    srName: inputs.srName ?? `${nameOf(owner)}-${folderUuid.slice(0, 8)}`,
    isoName: inputs.isoName ?? defaultIsoName(owner, srMountPath, folderUuid),
    srPath: `${srMountPath}/${folderUuid}`,
  };
  const source = await imageSource(inputs);
  const isoSize = source.sizeBytes;
  const { host, reached } = await logIn(inputs);
  const made = { ...inputs, ...chosen, isoSize, ...reached };
  try {
    const uuids = await createTempIso(host, {
      folder: { srMountPath, uuid: folderUuid },
      owner,
      image: { source, sha256: isoSha256 },
      isoName: chosen.isoName,
      srName: chosen.srName,
      signal: abandoned(),
      assertWanted,
    });
    return { id: uuids.srUuid, outs: { ...made, ...uuids, status: "ready" } };
  } catch (error) {
    if (!(error instanceof RollbackIncompleteError)) throw error;
    // Whatever stayed is found by its folder: that is recorded, and the next up replaces it.
    // `made` holds the `__provider` among its inputs, without which refresh and destroy would fail.
    throw new CreatedButFailedError(folderUuid, { ...made, status: "incomplete" }, error);
  }
}

/** The outputs that are known before the disc is made; opens the image, but no connection. */
export async function preview(inputs: TempIsoInputs): Promise<Partial<TempIsoState>> {
  const isKnown = !isUnknown(inputs.isoSha256);
  const isoSize = isKnown ? { isoSize: (await imageSource(inputs)).sizeBytes } : {};
  return { ...inputs, ...isoSize, ...plannedHost(inputs) };
}

/** Stores the changed arguments; the host's objects stay as they are. */
export async function update(olds: TempIsoState, news: TempIsoInputs): Promise<UpdateResult<TempIsoState>> {
  const { host, reached } = await logIn(news);
  await assertSameHost(host, olds);
  const made = Object.fromEntries(Object.entries(olds).filter(([name]) => name in MADE)) as unknown as Made;
  if (olds.owner !== news.owner) await describeTempIso(host, { ...olds, owner: news.owner });
  const status =
    olds.status === "partial" ? await plugAgain(host, { ...olds, owner: news.owner }) : olds.status;
  return { outs: { ...news, ...made, status, ...reached } };
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
  const condition = await readTempIso(await hostOf(state), state);
  if (condition.state === "gone" && state.once && state.status !== "incomplete")
    return { id, props: { ...state, status: "released" } };
  // An empty id drops the resource from the state: only when nothing is left of it.
  if (condition.state === "gone") return { id: "" };
  const status = state.status === "incomplete" ? "incomplete" : condition.state;
  const pbdUuid = condition.state === "lost" ? state.pbdUuid : condition.pbdUuid;
  return { id, props: { ...state, ...(pbdUuid && { pbdUuid }), status } };
}

/**
 * Reads a disc that no state knows, on the host of the configuration: its outputs, and the inputs that the host
 * shows. What the disc was made from stays for the program to say; the same content is no change.
 *
 * @returns undefined when there is no such SR
 */
export async function find(srUuid: string): Promise<{ props: object; inputs: object } | undefined> {
  const { host, reached } = await logIn({});
  const found = await findTempIso(host, srUuid);
  if (!found) return undefined;
  const { srPath, srName, isoName } = found;
  const isoSha256 = await hashOf(host, `${srPath}/${isoName}`);
  const inputs = { srMountPath: dirname(srPath), srName, isoName, isoSha256 };
  return { props: { ...inputs, ...found, ...reached, status: "ready" }, inputs };
}

export async function remove(state: TempIsoState): Promise<void> {
  const left = {
    ...state,
    what: whatIsLeft(state),
    remedy: sweepCommand(state, state.srUuid ?? folderAt(state.srPath).uuid),
  };
  await unlessHostIsGone(left, async () => deleteTempIso(await hostOf(state), state));
}

function whatIsLeft({ srUuid, srPath, isoName }: TempIsoState): string {
  return `${srUuid ? `SR ${srUuid}, ` : ""}${srPath}/${isoName}`;
}

export function diff(olds: TempIsoState, news: TempIsoInputs): DiffResult {
  const isInPlace = olds.status === "ready" || olds.status === "partial";
  const isAsWanted = isInPlace || (olds.status === "released" && news.once === true);
  const replaces: string[] = [
    ...REPLACING.filter((name) => news[name] !== olds[name]),
    ...CHOSEN.filter((name) => news[name] !== undefined && news[name] !== olds[name]),
    ...(isOtherHost(olds, news) ? ["host"] : []),
    ...(isAsWanted ? [] : ["status"]),
  ];
  const isOnceChanged = (olds.once ?? false) !== (news.once ?? false);
  const changes =
    replaces.length > 0 || olds.status === "partial" || isOnceChanged || isConnectionChanged(olds, news);
  return { changes, replaces };
}
