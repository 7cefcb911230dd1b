import type { CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { isDeepStrictEqual } from "node:util";
import { v4 as uuidv4 } from "uuid";
import { RollbackIncompleteError } from "../host/rollback";
import { assertSameHost, createTempIso, deleteTempIso, readTempIso } from "../host/temp-iso";
import { allowsHostKey } from "../ssh/host-key";
import { SharedConnection } from "../ssh/shared-connection";
import { type ConnectionInputs, effectiveConnection, toSshTarget } from "./connection";
import { logInTo } from "./credentials";
import { CreatedButFailedError } from "./engine-error";
import { assertEngine, engineGone } from "./engine-watch";
import { imageSource } from "./image-source";
import { defaultIsoName, nameOf, type TempIsoInputs } from "./inputs";
import { isUnknown, UNKNOWN } from "./unknown";
import { unlessHostIsGone } from "./unreachable";

/** The outputs of a `XenTempIso` as they are stored. */
export interface TempIsoState extends TempIsoInputs {
  readonly srName: string;
  readonly isoName: string;
  /** Absolute folder on the host. */
  readonly srPath: string;
  /** In bytes. */
  readonly isoSize: number;
  /** As they were used: read and delete go there, whatever the configuration says today. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA…`, as the host proved to have it. */
  readonly hostKey: string;
  readonly status: TempIsoStatus;
  /** INSTALLATION_UUID; like the following, unknown while `incomplete`. */
  readonly hostUuid?: string;
  readonly srUuid?: string;
  readonly pbdUuid?: string;
  readonly vdiUuid?: string;
}

/**
 * `incomplete` after a failure whose rollback could not finish, `lost` when half of it is gone from the host:
 * the next up replaces either and clears what is left.
 */
export type TempIsoStatus = "ready" | "incomplete" | "lost";

/** What a new value of these does cannot be done to a disc that exists. */
const REPLACING = ["isoSha256", "srMountPath"] as const;

/** Chosen at create when the program gives none: then the choice stays. */
const CHOSEN = ["srName", "isoName"] as const;

export async function create(inputs: TempIsoInputs): Promise<CreateResult<TempIsoState>> {
  const target = toSshTarget(effectiveConnection(inputs.connection));
  const host = SharedConnection.to(target);
  const { owner, srMountPath, isoSha256 } = inputs;
  const folderUuid = uuidv4();
  const chosen = {
    srName: inputs.srName ?? `${nameOf(owner)}-${folderUuid.slice(0, 8)}`,
    isoName: inputs.isoName ?? defaultIsoName(owner, srMountPath, folderUuid),
    srPath: `${srMountPath}/${folderUuid}`,
  };
  const source = await imageSource(inputs);
  const isoSize = source.sizeBytes;
  // Logs in: what fails before that has left nothing anywhere.
  const hostKey = await host.hostKey();
  const { port, user } = target;
  const made = { ...inputs, ...chosen, isoSize, host: target.host, port, user, hostKey };
  try {
    const uuids = await createTempIso(host, {
      folder: { srMountPath, uuid: folderUuid },
      owner,
      image: { source, sha256: isoSha256 },
      isoName: chosen.isoName,
      srName: chosen.srName,
      signal: engineGone,
      assertWanted: assertEngine,
    });
    return { id: uuids.srUuid, outs: { ...made, ...uuids, status: "ready" } };
  } catch (error) {
    if (!(error instanceof RollbackIncompleteError)) throw error;
    // Whatever stayed is found by its folder: that is recorded, and the next up replaces it.
    // `made` holds the `__provider` among its inputs, without which refresh and destroy would fail.
    throw new CreatedButFailedError(folderUuid, { ...made, status: "incomplete" }, error);
  }
}

/** Takes over a changed connection; the host's objects stay as they are. */
export async function update(olds: TempIsoState, news: TempIsoInputs): Promise<UpdateResult<TempIsoState>> {
  const target = toSshTarget(effectiveConnection(news.connection));
  const host = SharedConnection.to(target);
  await assertSameHost(host, olds);
  const { port, user } = target;
  // What the program gives no more goes: the engine knows a secret by its place in the inputs, and would store
  // one that is left here in plain.
  const { isoPath, files, volumeLabel, connection, ...made } = olds;
  const outs = {
    ...made,
    ...news,
    srName: olds.srName,
    isoName: olds.isoName,
    owner: olds.owner,
    port,
    user,
  };
  return { outs: { ...outs, hostKey: await host.hostKey() } };
}

export async function read(id: string, state: TempIsoState): Promise<ReadResult<TempIsoState>> {
  const condition = await readTempIso(await hostOf(state), state);
  // An empty id drops the resource from the state: only when nothing is left of it.
  if (condition.state === "gone") return { id: "" };
  const status = state.status === "incomplete" ? "incomplete" : condition.state;
  const pbdUuid = condition.state === "ready" ? condition.pbdUuid : state.pbdUuid;
  return { id, props: { ...state, ...(pbdUuid && { pbdUuid }), status } };
}

export async function remove(state: TempIsoState): Promise<void> {
  await unlessHostIsGone({ ...state, what: whatIsLeft(state) }, async () =>
    deleteTempIso(await hostOf(state), state),
  );
}

function whatIsLeft({ srUuid, srPath, isoName }: TempIsoState): string {
  return `${srUuid ? `SR ${srUuid}, ` : ""}${srPath}/${isoName}`;
}

export function diff(olds: TempIsoState, news: TempIsoInputs): DiffResult {
  const connection = isUnknown(news.connection) ? { host: UNKNOWN } : effectiveConnection(news.connection);
  const replaces: string[] = [
    ...REPLACING.filter((name) => news[name] !== olds[name]),
    ...CHOSEN.filter((name) => news[name] !== undefined && news[name] !== olds[name]),
    ...(connection.host === olds.host ? [] : ["host"]),
    ...(olds.status === "ready" ? [] : ["status"]),
  ];
  return { changes: replaces.length > 0 || isConnectionChanged(olds, news, connection), replaces };
}

/** Whether the disc is reached in another way than the state says: by another login, port, key or proxy. */
function isConnectionChanged(olds: TempIsoState, news: TempIsoInputs, connection: ConnectionInputs): boolean {
  if (!isDeepStrictEqual(olds.connection ?? {}, news.connection ?? {})) return true;
  const { port = 22, user = "root", hostKey } = connection;
  return (
    port !== olds.port ||
    user !== olds.user ||
    (hostKey !== undefined && !allowsHostKey(hostKey, olds.hostKey))
  );
}

/**
 * The host of a disc that exists: where it was made, whatever the configuration says today. Only credentials
 * may be newer; they are sent after the host has proved its key.
 */
function hostOf(state: TempIsoState): Promise<SharedConnection> {
  const connection = effectiveConnection(state.connection);
  const { host, port, user } = state;
  const hostKey = connection.hostKey === "ignore" ? connection.hostKey : state.hostKey;
  return logInTo({ ...connection, host, port, user, hostKey });
}
