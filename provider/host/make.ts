import type { ExecResult, ScriptOutput } from "../ssh/exec";
import { lines, type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { findDisc, type FoundIsoSr, makeIsoSr, readFoundIsoSr } from "../xe/iso-sr";
import { HostError } from "./error";
import {
  EXIT,
  failed,
  FILE,
  type Folder,
  hostUuidOf,
  IDENTIFY,
  markerStays,
  NOTE_WRITER,
  pathOf,
  REMOVE_MARKER,
  removeMarker,
  SR_BEGUN,
  valueOf,
} from "./folder";
import { type Image, nameImage, readUnchanged, receiveImage, SYNC_IMAGE, uploadIncomplete } from "./image";
import { prepareScript, readPrepared, type Twin } from "./prepare";
import { report } from "./progress";
import type { SrMark } from "./sr";
import { linkTwin, rememberContent } from "./twin";

/** What a folder with an image in it is to become. */
export interface DiscPlan {
  readonly folder: Folder;
  /** URN of the resource. */
  readonly owner: string;
  readonly image: Image;
  readonly srName: string;
  readonly mark: SrMark;
  /** Asked once more before the disc counts as made; rejects when nobody takes it. */
  readonly assertWanted: () => Promise<void>;
  /** Told once the image is on the host. */
  readonly onWhole: (file: Twin) => void;
}

/** What a create has made, each a UUID. */
export interface MadeDisc extends FoundIsoSr {
  /** INSTALLATION_UUID. */
  readonly hostUuid: string;
}

/** The image is not on the host: it has to be uploaded first. */
export class NotWholeError extends Error {
  override readonly name = "NotWholeError";

  constructor(override readonly cause: HostError) {
    super(cause.message);
  }
}

/** sm attaches one SR at a time on a host, behind any slow iSCSI or NFS attach: the last of many waits for minutes. */
const MAKE_TIMEOUT_MS = 15 * 60_000;

/** A script that has not begun by then, or has not got what was sent, has lost it to a start-up file that reads. */
const SWALLOWED_MS = 5_000;

/**
 * All of it in one command: the folder, the image, the SR. The image is small enough to be sent along, or it is a
 * link to a twin.
 *
 * @throws {@link NotWholeError} when the image has to be uploaded first: the folder is there
 * @throws what `prepareFolder` and {@link makeDisc} do
 */
export async function makeAtOnce(host: SharedConnection, plan: DiscPlan, twin?: Twin): Promise<MadeDisc> {
  const { folder, owner, image } = plan;
  const { isoName, source } = image;
  const purpose = { owner, isoName, sizeBytes: twin ? 0 : source.sizeBytes };
  const bring = twin ? lines(linkTwin(twin), nameImage(image)) : receiveImage(image);
  const script = lines(prepareScript(folder, purpose), bring, makeScript(plan));
  const result = await talk(host, script, plan, twin ? undefined : await readUnchanged(host, image));
  readPrepared(host, folder, purpose, result);
  return readMade(host, plan, result);
}

/**
 * Makes the image that is in the folder, or the twin's content, the disc of an SR.
 *
 * @throws {@link NotWholeError} when the image has to be uploaded first
 * @throws {@link HostError} `FOLDER_FAILED`, `NOT_FOUND_IN_TIME`; `XeError`
 */
export async function makeDisc(host: SharedConnection, plan: DiscPlan, twin?: Twin): Promise<MadeDisc> {
  const script = lines(
    IDENTIFY,
    sh`umask 077; cd -- ${pathOf(plan.folder)} || exit ${EXIT.imageFailed}`,
    NOTE_WRITER,
    ...(twin ? [linkTwin(twin)] : []),
    SYNC_IMAGE,
    nameImage(plan.image),
    makeScript(plan),
  );
  return readMade(host, plan, await talk(host, script, plan));
}

/** The same where the SR was made already, behind a link that was lost. */
export async function findMadeDisc(
  host: SharedConnection,
  plan: DiscPlan,
  srUuid: string,
): Promise<MadeDisc> {
  const script = lines(
    IDENTIFY,
    sh`cd -- ${pathOf(plan.folder)} || exit ${EXIT.imageFailed}`,
    findDisc(srUuid, plan.image.isoName),
    ASK_WHETHER_WANTED,
  );
  return readMade(host, plan, await talk(host, script, plan));
}

function makeScript({ folder, image, srName, mark }: DiscPlan): Script {
  // As the script itself has found it: in a pool of several hosts xapi does not guess which one has the folder.
  const hostUuid = sh`"$host_uuid"`;
  const sr = { nameLabel: srName, ...mark, location: pathOf(folder), hostUuid };
  // From here on its answer may get lost: it is never asked for twice.
  const begin = sh`echo ${SR_BEGUN} >>${FILE.image} || exit ${EXIT.imageFailed}`;
  return lines(begin, makeIsoSr(sr, image.isoName), ASK_WHETHER_WANTED);
}

/**
 * The marker goes when somebody takes the disc: of a client that was killed meanwhile nothing comes but the end of
 * the input, and the next create clears what is marked.
 */
const ASK_WHETHER_WANTED = sh`echo wanted?
if read -r answer && [ "$answer" = wanted ]; then
  ${REMOVE_MARKER} || exit ${EXIT.imageFailed}
  echo marker=removed
fi`;

/** Runs a script that makes a disc, and answers it. */
async function talk(
  host: SharedConnection,
  script: Script,
  plan: DiscPlan,
  bytes?: Uint8Array,
): Promise<ExecResult> {
  const result = await host.exec(script, {
    purpose: "make the storage repository",
    timeoutMs: MAKE_TIMEOUT_MS,
    input: (output) => converse(output, host, plan, bytes),
  });
  if (result.status !== 0) return result;
  // Once more: the engine may have gone after the script was answered.
  await plan.assertWanted();
  // Where its question found no answer, the input went to a start-up file of the root shell.
  if (!/^marker=removed$/m.test(result.stdout)) await removeMarker(host, plan.folder);
  return result;
}

async function* converse(
  output: ScriptOutput,
  host: SharedConnection,
  { folder, image, assertWanted, onWhole }: DiscPlan,
  bytes?: Uint8Array,
): AsyncGenerator<Uint8Array> {
  if (bytes) yield bytes;
  for (let withinMs: number | undefined = SWALLOWED_MS; ;) {
    const line = await output.nextLine(withinMs);
    // The end of the input frees whoever waits for more of it.
    if (line === undefined) return;
    withinMs = line === "ready" ? SWALLOWED_MS : undefined;
    if (line === "step=sr") report({ step: "creating SR" });
    const [, name, value = ""] = /^(image|attempt)=(.*)$/.exec(line) ?? [];
    if (name === "image") {
      rememberContent(host, value, image.sha256);
      onWhole({ path: `${pathOf(folder)}/${image.isoName}`, identity: value });
    }
    if (name === "attempt") report({ step: "waiting for VDI", attempt: Number(value) });
    if (line !== "wanted?") continue;
    await assertWanted();
    yield Buffer.from("wanted\n");
    return;
  }
}

function readMade(host: SharedConnection, plan: DiscPlan, result: ExecResult): MadeDisc {
  const { folder, image } = plan;
  const path = pathOf(folder);
  const hostUuid = hostUuidOf(host, result);
  if (result.status === EXIT.notWhole) throw new NotWholeError(uploadIncomplete(host, folder, result));
  if (result.status === EXIT.imageFailed) {
    if (valueOf(result.stdout, "sr")) throw markerStays(host, folder, result);
    const message = `The image could not be put as ${image.isoName} into ${path} on ${host.address}. Check the space and the file system there.`;
    throw failed(host, "FOLDER_FAILED", message, result);
  }
  const found = readFoundIsoSr(result, host.address);
  if (found) return { hostUuid, ...found };
  const missing = valueOf(result.stdout, "missing");
  const message =
    `The storage repository made of ${path} on ${host.address} has not got one PBD and one VDI (${missing}). ` +
    `Check /var/log/SMlog on the host, then run the command again.`;
  throw new HostError("NOT_FOUND_IN_TIME", host.address, message);
}
