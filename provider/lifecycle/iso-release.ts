import type { CreateResult, DiffResult, ReadResult, UpdateResult } from "@pulumi/pulumi/dynamic";
import { HostError } from "../host/error";
import { findPool } from "../host/pool";
import { findDiscToRelease, markReleased, type ReleasedDisc } from "../host/release";
import { deleteTempIso } from "../host/temp-iso";
import type { SharedConnection } from "../ssh/shared-connection";
import {
  acceptConnection,
  type Arguments,
  type ArgumentTable,
  checkArguments,
  connection,
  hostConnections,
  requiredUuid,
} from "./arguments";
import type { ConnectionInputs } from "./connection";
import { CreatedButFailedError } from "./engine-error";
import { removeFromPool } from "./pool-temp-iso";
import { Problems } from "./problems";
import { logIn } from "./reached-host";

/** The inputs of a `XenIsoRelease` as they are stored. */
export interface IsoReleaseInputs {
  readonly srUuid: string;
  readonly connection?: ConnectionInputs;
  /** For a pool-wide disc, as in its own arguments. */
  readonly hostConnections?: Readonly<Record<string, ConnectionInputs>>;
  /** URN of the resource, given by its class. */
  readonly owner: string;
}

/**
 * The outputs of a `XenIsoRelease` as they are stored. The host, and how to reach it, are not needed any more.
 */
export interface IsoReleaseState extends Omit<IsoReleaseInputs, "connection" | "hostConnections"> {
  /** What a release that failed halfway may have left: the next up continues with it. */
  readonly left?: ReleasedDisc;
}

/** Arguments whose change always replaces the release: the schema of the plugin says so too. */
export const REPLACING = ["srUuid"] as const;

const ARGUMENTS: ArgumentTable<Exclude<keyof IsoReleaseInputs, "owner"> | "after"> = {
  rules: { srUuid: requiredUuid, connection, hostConnections, after: () => undefined },
};

/** Checks the arguments without the network. */
export async function checkIsoRelease(given: Arguments) {
  const problems = new Problems();
  const args = checkArguments(given, ARGUMENTS, problems);
  if (problems.failures.length === 0) await acceptConnection(args, problems);
  // The engine has waited for `after`. Its value is not stored.
  const { after: _, ...inputs } = args;
  return { inputs, failures: problems.failures };
}

/** Removes the disc; if its SR is gone, it was released already. */
export async function create(inputs: IsoReleaseInputs): Promise<CreateResult<IsoReleaseState>> {
  const { srUuid } = inputs;
  const { host } = await logIn(inputs);
  const iso = await findDiscToRelease(host, srUuid);
  const outs = stateOf(inputs);
  try {
    if (iso) await removeDisc(host, inputs, iso);
  } catch (error) {
    // Nothing was removed. After any other error, the SR that finds the rest may be gone.
    if (error instanceof HostError && error.code === "DISC_IN_USE") throw error;
    throw new CreatedButFailedError(srUuid, { ...outs, left: iso }, error as Error);
  }
  return { id: srUuid, outs };
}

/** All outputs are known before the disc is released. */
export function preview(inputs: IsoReleaseInputs): IsoReleaseState {
  return stateOf(inputs);
}

/** Continues a release that failed halfway. */
export async function update(
  olds: IsoReleaseState,
  news: IsoReleaseInputs,
): Promise<UpdateResult<IsoReleaseState>> {
  const { host } = await logIn(news);
  if (olds.left) await removeDisc(host, news, olds.left);
  return { outs: stateOf(news) };
}

export function read(id: string, state: IsoReleaseState): ReadResult<IsoReleaseState> {
  return { id, props: state };
}

export function diff(olds: IsoReleaseState, news: IsoReleaseInputs): DiffResult {
  const replaces = REPLACING.filter((name) => news[name] !== olds[name]);
  return { changes: replaces.length > 0 || olds.left !== undefined, replaces };
}

/** With the `__provider` among the inputs, without which refresh and destroy would fail. */
function stateOf(inputs: IsoReleaseInputs): IsoReleaseState {
  const { connection: _connection, hostConnections: _hostConnections, ...state } = inputs;
  return state;
}

async function removeDisc(
  host: SharedConnection,
  inputs: IsoReleaseInputs,
  iso: ReleasedDisc,
): Promise<void> {
  await markReleased(host, iso);
  if (iso.isShared) await removeFromPool(await findPool(host), inputs, iso);
  else await deleteTempIso(host, iso);
}
