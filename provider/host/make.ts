import type { ExecResult, ScriptOutput } from "../ssh/exec";
import { type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { srCreate } from "../xe/commands";
import { xeErrorOf } from "../xe/error";
import { HostError } from "./error";
import { markerStays, pathOf, removeMarker } from "./folder";
import { hostUuidOf } from "./identify";
import { imageFailed, readUnchanged } from "./image";
import { type KnownImage, knownContentOf, type TempIsoPlan } from "./plan";
import { ownerText } from "./marker";
import { readPrepared, type Twin } from "./prepare";
import { report } from "./progress";
import { EXIT, parseLine, valueOf, WANTED } from "./protocol";
import { remote } from "./remote";
import { nameDescriptionOf } from "./name-description";
import { rememberContent } from "./twin";

/** What a create has made, each a UUID. */
export interface MadeTempIso {
  readonly srUuid: string;
  readonly pbdUuid: string;
  readonly vdiUuid: string;
  /** INSTALLATION_UUID. */
  readonly hostUuid: string;
}

/** Called once the image is on the host. */
type OnWhole = (file: Twin) => void;

/**
 * sm attaches one SR at a time per host, and a slow iSCSI or NFS attach may come first: the last of many waits
 * for minutes.
 */
const MAKE_TIMEOUT_MS = 15 * 60_000;

/**
 * How long a script may take to begin or to get its input. After that, a startup file of the shell has read
 * stdin.
 */
const SWALLOWED_MS = 5_000;

/**
 * Makes folder, image and SR in one command, with the image on stdin.
 *
 * @returns undefined if the image did not arrive: the folder is there, without it
 * @throws what `prepareFolder` and {@link makeDisc} do
 */
export async function makeSmallDisc(
  host: SharedConnection,
  plan: TempIsoPlan,
  image: KnownImage,
): Promise<MadeTempIso | undefined> {
  const { folder, owner, isoName } = plan;
  const { sizeBytes, sha256 } = knownContentOf(image);
  const script = sh`make_small_disc ${folder.srMountPath} ${folder.uuid} ${ownerText(plan)} ${isoName} ${sizeBytes} ${sha256}`;
  const result = await run(host, plan, withSrCreate(script, plan), {
    bytes: await readUnchanged(host, image),
  });
  readPrepared(host, folder, { owner, isoName, sizeBytes }, result);
  return readMadeIfWhole(host, plan, result);
}

/**
 * Makes folder, image and SR in one command, with the image linked to a file that has the same content.
 *
 * @returns undefined if that file is gone or another one: the folder is there, without an image
 * @throws what `prepareFolder` and {@link makeDisc} do
 */
export async function makeLinkedDisc(
  host: SharedConnection,
  plan: TempIsoPlan,
  twin: Twin,
): Promise<MadeTempIso | undefined> {
  const { folder, owner, isoName } = plan;
  const { sizeBytes, sha256 } = knownContentOf(plan.image);
  const script = sh`make_linked_disc ${folder.srMountPath} ${folder.uuid} ${ownerText(plan)} ${isoName} ${sizeBytes} ${sha256} ${twin.path} ${twin.identity}`;
  const result = await run(host, plan, withSrCreate(script, plan));
  readPrepared(host, folder, { owner, isoName, sizeBytes: 0 }, result);
  return readMadeIfWhole(host, plan, result);
}

/**
 * Makes the SR of a folder that holds the complete image, or gets a link to the twin.
 *
 * @returns undefined if the image has to be uploaded first
 * @throws {@link HostError} `FOLDER_FAILED`, `NOT_FOUND_IN_TIME`; `XeError`
 */
export async function makeDisc(
  host: SharedConnection,
  plan: TempIsoPlan,
  { twin, onWhole }: { twin?: Twin; onWhole?: OnWhole } = {},
): Promise<MadeTempIso | undefined> {
  const { folder, isoName } = plan;
  const { sizeBytes, sha256 } = knownContentOf(plan.image);
  const { path = "", identity = "" } = twin ?? {};
  const script = sh`make_disc ${folder.srMountPath} ${folder.uuid} ${isoName} ${sizeBytes} ${sha256} ${path} ${identity}`;
  return readMadeIfWhole(host, plan, await run(host, plan, withSrCreate(script, plan), { onWhole }));
}

/** Finds the SR that was made before the link was lost. */
export async function findMadeDisc(
  host: SharedConnection,
  plan: TempIsoPlan,
  srUuid: string,
): Promise<MadeTempIso> {
  const { folder, isoName } = plan;
  const script = sh`find_made_disc ${folder.srMountPath} ${folder.uuid} ${isoName} ${srUuid}`;
  return readMade(host, plan, await run(host, plan, script));
}

/** The call, followed by the words of sr-create; the host adds its own `host-uuid`. */
function withSrCreate(call: Script, { folder, owner, srName }: TempIsoPlan): Script {
  const nameDescription = nameDescriptionOf(owner, folder.uuid);
  const sr = { nameLabel: srName, nameDescription, location: pathOf(folder) };
  return sh`${call} ${srCreate(sr).words}`;
}

/** Runs a script that makes a disc, and answers its question. */
async function run(
  host: SharedConnection,
  plan: TempIsoPlan,
  call: Script,
  { bytes, onWhole }: { bytes?: Uint8Array; onWhole?: OnWhole | undefined } = {},
): Promise<ExecResult> {
  const result = await host.exec(remote(call), {
    purpose: "make the storage repository",
    timeoutMs: MAKE_TIMEOUT_MS,
    input: (output) => answer(output, host, plan, { bytes, onWhole }),
  });
  if (result.status !== 0) return result;
  // Checked again: the engine may have gone after the script was answered.
  await plan.assertWanted();
  // A startup file of the root shell has read the answer.
  if (valueOf(result.stdout, "marker") !== "removed") await removeMarker(host, plan.folder);
  return result;
}

/** Sends the image if there is one, and the answer to `hand_over`; meanwhile reports what the script prints. */
async function* answer(
  output: ScriptOutput,
  host: SharedConnection,
  { folder, isoName, image, assertWanted }: TempIsoPlan,
  { bytes, onWhole }: { bytes: Uint8Array | undefined; onWhole: OnWhole | undefined },
): AsyncGenerator<Uint8Array> {
  if (bytes) yield bytes;
  for (let withinMs: number | undefined = SWALLOWED_MS; ;) {
    const line = await output.nextLine(withinMs);
    // End of file ends a script that waits for more input.
    if (line === undefined) return;
    withinMs = line === "ready" ? SWALLOWED_MS : undefined;
    const { key, value = "" } = parseLine(line) ?? {};
    if (key === "step") report({ step: "creating SR" });
    if (key === "attempt") report({ step: "waiting for VDI", attempt: Number(value) });
    if (key === "image") {
      rememberContent(host, value, knownContentOf(image).sha256);
      onWhole?.({ path: `${pathOf(folder)}/${isoName}`, identity: value });
    }
    if (line !== WANTED.question) continue;
    await assertWanted();
    yield Buffer.from(WANTED.answer);
    return;
  }
}

/** @returns undefined if the image has to be uploaded first */
function readMadeIfWhole(
  host: SharedConnection,
  plan: TempIsoPlan,
  result: ExecResult,
): MadeTempIso | undefined {
  return result.status === EXIT.notWhole ? undefined : readMade(host, plan, result);
}

function readMade(host: SharedConnection, plan: TempIsoPlan, result: ExecResult): MadeTempIso {
  const { folder } = plan;
  const { status, stdout, stderr } = result;
  const path = pathOf(folder);
  const hostUuid = hostUuidOf(host, result);
  if (status === EXIT.markerStays) throw markerStays(host, folder, result);
  if (status === EXIT.imageFailed) throw imageFailed(host, plan, result);
  const failed = valueOf(stdout, "failed");
  if (failed) throw xeErrorOf({ command: failed, host: host.address, stderr });
  const [srUuid, pbdUuid, vdiUuid] = ["sr", "pbd", "vdi"].map((key) => valueOf(stdout, key));
  if (srUuid && pbdUuid && vdiUuid) return { hostUuid, srUuid, pbdUuid, vdiUuid };
  const message =
    `The storage repository made of ${path} on ${host.address} has not got one PBD and one VDI (${valueOf(stdout, "missing")}). ` +
    `Check /var/log/SMlog on the host, then run the command again.`;
  throw new HostError("NOT_FOUND_IN_TIME", host.address, message);
}
