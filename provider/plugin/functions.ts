import { findTempIsos } from "../host/find-temp-isos";
import { DEFAULT_SR_MOUNT_PATH } from "../host/folder";
import { cloudInitFilesOf } from "../iso/cloud-init";
import { neonInitFilesOf } from "../iso/neon-init";
import { checkConnection, type ConnectionInputs } from "../lifecycle/connection";
import { checkLogin } from "../lifecycle/ssh-target";
import { atEngine } from "../lifecycle/engine-error";
import { Problems } from "../lifecycle/problems";
import { logIn } from "../lifecycle/reached-host";
import type { Properties } from "./values";

/** The result of `cloudInit` and `neonInit`. */
export interface FilesResult {
  /** For `files` of a TempIso: path on the disc to text. */
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
   * Folders on the host to search, in addition to those of the SRs that are found. Default `/var/opt/xen-iso`.
   */
  readonly srMountPaths?: readonly string[];
}

/** The result of `getDiscs`. */
export interface GetDiscsResult {
  /** INSTALLATION_UUID of the host. */
  readonly hostUuid: string;
  readonly discs: readonly Disc[];
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
  "xen:index:cloudInit": (args) => ({
    files: cloudInitFilesOf(args, (values, textOf) => textOf(values as never)),
  }),
  "xen:index:neonInit": (args) =>
    ({ files: neonInitFiles(args as unknown as NeonInitArgs) }) satisfies FilesResult,
  "xen:index:getDiscs": (args) => getDiscs(args),
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
 * The file of a disc for neonKUBE's node images: their `neon-init` service runs it at the first boot with bash as
 * root, before there is a network. Its first argument is the folder where the disc is mounted.
 */
function neonInitFiles({ script }: NeonInitArgs) {
  return neonInitFilesOf((toUnix) => toUnix(script));
}

/** Lists the temporary ISOs in the pool of a host. Changes nothing. */
async function getDiscs({
  connection,
  srMountPaths = [DEFAULT_SR_MOUNT_PATH],
}: GetDiscsArgs): Promise<GetDiscsResult> {
  const problems = new Problems();
  checkConnection(connection, problems);
  if (problems.failures.length === 0) await checkLogin(connection, problems);
  const [problem] = problems.failures;
  if (problem) throw new Error(`getDiscs: ${problem.reason}`);
  const { host } = await logIn(connection ? { connection } : {});
  const { hostUuid, tempIsos } = await findTempIsos(host, srMountPaths);
  return {
    hostUuid,
    discs: tempIsos.map(
      ({ state, owner, srs: [sr], srPath, isoName, sizeBytes, ageSeconds, drives, ...found }) => ({
        state,
        ...(owner !== undefined && { owner }),
        ...(sr && { srUuid: sr.uuid, srName: sr.nameLabel }),
        ...(srPath !== undefined && { srPath }),
        ...(isoName !== undefined && { isoName }),
        ...(sizeBytes !== undefined && { isoSize: sizeBytes }),
        ...(ageSeconds !== undefined && { ageSeconds }),
        ...(found.hostUuid !== undefined && { hostUuid: found.hostUuid }),
        isUnderWay: found.isUnderWay,
        vmUuids: drives.map(({ vmUuid }) => vmUuid),
      }),
    ),
  };
}
