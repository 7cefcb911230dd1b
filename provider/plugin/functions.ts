import { findTempIsos, type FoundTempIso } from "../host/find-temp-isos";
import { DEFAULT_SR_MOUNT_PATH, isMountPath } from "../host/folder";
import { findPool } from "../host/pool";
import { reachPool } from "../host/reach-pool";
import { cloudInitFilesOf } from "../iso/cloud-init";
import { neonInitFilesOf } from "../iso/neon-init";
import {
  type ArgumentTable,
  checkArguments,
  connection,
  hostConnections,
  optional,
} from "../lifecycle/arguments";
import type { ConnectionInputs } from "../lifecycle/connection";
import { checkLogin } from "../lifecycle/ssh-target";
import { atEngine } from "../lifecycle/engine-error";
import { memberConnection } from "../lifecycle/pool-hosts";
import { Problems } from "../lifecycle/problems";
import { logIn } from "../lifecycle/reached-host";
import type { Properties } from "./values";

/** The result of `cloudInit` and `neonInit`. */
export interface FilesResult {
  /**
   * For `files` of a TempIso: path on the disc to text. All of them are secret if a value among the arguments is: no
   * SDK of Pulumi keeps a secret inside the result of a function.
   */
  readonly files: Record<string, string>;
}

/** The arguments of `neonInit`. */
export interface NeonInitArgs {
  /**
   * Run by bash as root at the first boot, before the network is up. Windows line endings become Linux ones.
   */
  readonly script: string;
}

/** The arguments of `getDiscs`. */
export interface GetDiscsArgs {
  /** How to reach the host. Settings that are left out come from the provider. */
  readonly connection?: ConnectionInputs;
  /**
   * Fields of `connection` that differ for single hosts of the pool, by the host's `name-label` or address.
   */
  readonly hostConnections?: Readonly<Record<string, ConnectionInputs>>;
  /**
   * Folders on the host to search, in addition to those of the SRs that are found. Default `/var/opt/xen-iso`.
   */
  readonly srMountPaths?: readonly string[];
}

/** The result of `getDiscs`. */
export interface GetDiscsResult {
  /** INSTALLATION_UUID of the host. */
  readonly hostUuid: string;
  readonly discs: readonly Disc[];
  /** Hosts of the pool that were not looked at: folders without SR and killed creates there are not in `discs`. */
  readonly missing: readonly MissingHost[];
}

/** A host of the pool that `getDiscs` could not look at. */
export interface MissingHost {
  /** Its `name-label`. */
  readonly name: string;
  readonly address: string;
  readonly reason: string;
}

/** A temporary ISO as it was found on a host. */
export interface Disc {
  /**
   * `live`, `partial` (a disc of a whole pool that one host lacks), `pending` (its create has not ended), `corpse`
   * (unplugged or without its image), `folder without SR`.
   */
  readonly state: string;
  /** URN of the resource when it was created. */
  readonly owner?: string;
  readonly srUuid?: string;
  /** The SR's `name-label`. */
  readonly srName?: string;
  /** Absolute folder on its host. */
  readonly srPath?: string;
  readonly isoName?: string;
  /** Size of the image, or of the part that has arrived, in bytes. */
  readonly isoSize?: number;
  readonly ageSeconds?: number;
  /** The host that has it, if known. */
  readonly hostUuid?: string;
  /** Whether a create or delete of it is running now. */
  readonly isUnderWay: boolean;
  /** UUIDs of the VMs that have it in a drive. */
  readonly vmUuids: readonly string[];
}

/** The functions of the package by token; each returns plain values. */
const FUNCTIONS: Readonly<Record<string, (args: Properties) => object | Promise<object>>> = {
  "xen:index:cloudInit": cloudInitFiles,
  "xen:index:neonInit": neonInitFiles,
  "xen:index:getDiscs": getDiscs,
};

/**
 * Calls a function of the package.
 *
 * @throws Error with a message for the user
 */
export function callFunction(token: string, args: Properties): Promise<Properties> {
  const call = FUNCTIONS[token];
  if (!call) throw new Error(`${token} is not a function of this provider.`);
  return atEngine(async () => (await call(args)) as Properties);
}

/**
 * The files of a disc for cloud-init's NoCloud; its label is the default of a `TempIso`. The `instance-id` in
 * `meta-data` is derived from the content of the others: with other content the guest is a new instance, on which
 * cloud-init runs again.
 */
function cloudInitFiles(args: Properties): object {
  return { files: cloudInitFilesOf(args, (values, textOf) => textOf(values as never)) };
}

const NEON_INIT: ArgumentTable<keyof NeonInitArgs> = {
  rules: { script: (value) => (typeof value === "string" ? undefined : "must be a string") },
};

/**
 * The file of a disc for neonKUBE's node images: their `neon-init` service runs it at the first boot with bash as
 * root, before there is a network. Its first argument is the folder where the disc is mounted.
 */
function neonInitFiles(given: Properties): FilesResult {
  const problems = new Problems();
  const { script } = checkArguments(given, NEON_INIT, problems) as unknown as NeonInitArgs;
  refuse("neonInit", problems);
  return { files: neonInitFilesOf((toUnix) => toUnix(script)) };
}

const GET_DISCS: ArgumentTable<keyof GetDiscsArgs> = {
  rules: { connection, hostConnections, srMountPaths: optional(srMountPathsProblem) },
};

/**
 * Lists the temporary ISOs in the pool of a host. Looks at every host of the pool: each is reached at the address that
 * the pool knows, with the credentials of `connection`. Changes nothing.
 */
async function getDiscs(given: Properties): Promise<GetDiscsResult> {
  const problems = new Problems();
  const args = checkArguments(given, GET_DISCS, problems) as GetDiscsArgs;
  if (problems.failures.length === 0) await checkLogin(args.connection, problems);
  refuse("getDiscs", problems);
  const { srMountPaths = [DEFAULT_SR_MOUNT_PATH], ...connections } = args;
  const { host } = await logIn(connections);
  const pool = await findPool(host);
  const { others, missing } = await reachPool(pool, (other) =>
    memberConnection(pool, { owner: "", ...connections }, other, []),
  );
  const { hostUuid, tempIsos } = await findTempIsos(host, srMountPaths, others);
  return {
    hostUuid,
    discs: tempIsos.map(discOf),
    missing: missing.map(({ name, address, reason }) => ({ name, address, reason })),
  };
}

function srMountPathsProblem(value: unknown): string | undefined {
  const isValid =
    Array.isArray(value) && value.every((path) => typeof path === "string" && isMountPath(path));
  return isValid ? undefined : "must be a list of absolute paths, each without a trailing slash";
}

function discOf({ srs: [sr], drives, ...found }: FoundTempIso): Disc {
  const { state, owner, srPath, isoName, sizeBytes, ageSeconds, hostUuid, isUnderWay } = found;
  return {
    state,
    ...(owner !== undefined && { owner }),
    ...(sr && { srUuid: sr.uuid, srName: sr.nameLabel }),
    ...(srPath !== undefined && { srPath }),
    ...(isoName !== undefined && { isoName }),
    ...(sizeBytes !== undefined && { isoSize: sizeBytes }),
    ...(ageSeconds !== undefined && { ageSeconds }),
    ...(hostUuid !== undefined && { hostUuid }),
    isUnderWay,
    vmUuids: drives.map(({ vmUuid }) => vmUuid),
  };
}

/** @throws Error with every problem of a function's arguments */
function refuse(name: string, { failures }: Problems): void {
  if (failures.length > 0) throw new Error(failures.map(({ reason }) => `${name}: ${reason}`).join("\n"));
}
