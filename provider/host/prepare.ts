import type { ExecResult } from "../ssh/exec";
import { retry } from "../ssh/retry";
import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { HostError, QUICK_TIMEOUT_MS, withHostWords } from "./error";
import { type Folder, folderStays, pathOf } from "./folder";
import { hostUuidOf } from "./identify";
import { type Owner, ownerText } from "./marker";
import { report } from "./progress";
import { EXIT, parseLines, valueOf } from "./protocol";
import { remote } from "./remote";
import { noRoom } from "./room";

/** What a folder is made for, as its marker says. */
export interface FolderPurpose extends Owner {
  /** File name of the complete image. */
  readonly isoName: string;
  readonly sizeBytes: number;
  /** SHA-256 of the image, lower-case hex; given if the host may already have the content. */
  readonly twinSha256?: string;
}

/** What the host reported when the folder was made. */
export interface Prepared {
  /** INSTALLATION_UUID. */
  readonly hostUuid: string;
  /** A file on the host with the same size and recorded hash. */
  readonly twin?: Twin;
  /** The host has no room: thrown if the image has to be uploaded. */
  readonly noRoom?: HostError;
}

/** A file on a host, as it was when it was read. */
export interface Twin {
  /** Absolute, on the host. */
  readonly path: string;
  /** Inode, size in bytes, time of the last change. */
  readonly identity: string;
}

/** Killed creates of the same resource left folders that have to go first. */
export class AbandonedError extends Error {
  override readonly name = "AbandonedError";

  constructor(readonly abandoned: readonly { readonly folder: Folder; readonly isoName: string }[]) {
    super("An earlier create of the same resource was cut off.");
  }
}

/** How long a create waits for another create of the same resource. */
const OWNER_BUSY = { firstPauseMs: 2_000, growth: 1.3, longestPauseMs: 5_000, budgetMs: 90_000 };

/**
 * Makes the folder and its marker. The marker is valid while the SSH session that made it lives and renews it;
 * otherwise the folder counts as abandoned.
 *
 * @throws {@link HostError} `NOT_A_XENSERVER`, `NO_ROOM`, `FOLDER_FAILED`, `OWNER_BUSY` if another create of the same
 * resource is at work
 * @throws {@link AbandonedError} with nothing made
 */
export async function prepareFolder(
  host: SharedConnection,
  folder: Folder,
  purpose: FolderPurpose,
): Promise<Prepared> {
  const { srMountPath, uuid } = folder;
  const { isoName, sizeBytes, twinSha256 = "" } = purpose;
  const script = remote(
    sh`identify_and_prepare ${srMountPath} ${uuid} ${ownerText(purpose)} ${isoName} ${sizeBytes} ${twinSha256}`,
  );
  const result = await host.exec(script, { purpose: "make the folder", timeoutMs: QUICK_TIMEOUT_MS });
  return readPrepared(host, folder, purpose, result);
}

/**
 * Removes a folder before it is made anew, unless another run is making it.
 *
 * @throws {@link HostError} `OWNER_BUSY`, and what `removeFolder` does
 */
export async function clearFolder(
  host: SharedConnection,
  folder: Folder,
  purpose: Owner & { readonly isoName: string },
): Promise<void> {
  const { srMountPath, uuid } = folder;
  const script = remote(sh`clear_folder ${srMountPath} ${uuid} ${purpose.isoName} ${ownerText(purpose)}`);
  const result = await host.exec(script, { purpose: "remove the folder", timeoutMs: QUICK_TIMEOUT_MS });
  if (result.status === EXIT.ownerBusy) throw ownerBusy(host, folder, purpose, result);
  if (result.status !== 0) throw folderStays(host, folder, result);
}

/** Waits while another create of the same resource is at work. */
export function onceOwnerIsDone<T>(attempt: () => Promise<T>): Promise<T> {
  const isPassing = (error: unknown) => {
    const isBusy = error instanceof HostError && error.code === "OWNER_BUSY";
    if (isBusy) report({ step: "waiting for another create of the same resource" });
    return isBusy;
  };
  const waitingFor = "another create of the same resource";
  return retry({ ...OWNER_BUSY, waitingFor, isPassing }, attempt);
}

/**
 * Reads what `identify` and `prepare_folder` in `remote/` printed.
 *
 * @throws what {@link prepareFolder} does
 */
export function readPrepared(
  host: Pick<SharedConnection, "address">,
  folder: Folder,
  purpose: FolderPurpose,
  result: ExecResult,
): Prepared {
  const hostUuid = hostUuidOf(host, result);
  const { status, stdout } = result;
  const { srMountPath } = folder;
  const image = { sizeBytes: purpose.sizeBytes, srMountPath };
  if (status === EXIT.ownerBusy) throw ownerBusy(host, folder, purpose, result);
  if (status === EXIT.abandoned) throw new AbandonedError(readAbandoned(stdout, srMountPath));
  if (status === EXIT.noRoom) throw noRoom(stdout, image, host.address);
  if (status === EXIT.folderFailed) {
    const message =
      `The folder ${pathOf(folder)} could not be made on ${host.address}. ` +
      `Check that ${srMountPath} is a folder on a writable file system, or set another srMountPath.`;
    throw new HostError("FOLDER_FAILED", host.address, withHostWords(message, result));
  }
  const [twin, identity] = [valueOf(stdout, "twin"), valueOf(stdout, "identity")];
  return {
    hostUuid,
    ...(twin && identity && { twin: { path: `${srMountPath}/${twin}`, identity } }),
    ...(valueOf(stdout, "room") && { noRoom: noRoom(stdout, image, host.address) }),
  };
}

function ownerBusy(
  { address }: Pick<SharedConnection, "address">,
  { srMountPath }: Folder,
  { owner }: Owner,
  { stdout }: ExecResult,
): HostError {
  const message =
    `Another run is making ${owner} on ${address} (${srMountPath}/${valueOf(stdout, "live")})${sessionText(stdout)}. ` +
    `Wait until it has ended, then run the command again.`;
  return new HostError("OWNER_BUSY", address, message);
}

/** Where the other run logged in from and when it began, if its marker says so. */
function sessionText(stdout: string): string {
  const [client, since] = [valueOf(stdout, "client"), Number(valueOf(stdout, "since"))];
  if (!client || !since) return "";
  return `, from ${client}, since ${new Date(since * 1_000).toISOString()}`;
}

function readAbandoned(stdout: string, srMountPath: string): AbandonedError["abandoned"] {
  return parseLines(stdout)
    .filter(({ key }) => key === "abandoned")
    .map(({ value }) => {
      const slash = value.indexOf("/");
      return { folder: { srMountPath, uuid: value.slice(0, slash) }, isoName: value.slice(slash + 1) };
    });
}
