import { resolve } from "node:path";
import { DEFAULT_SR_MOUNT_PATH } from "../host/folder";
import type { IsoFiles } from "../iso/check";
import { NotAnImageError } from "../iso/inspect";
import { checkBoolean, checkHost, refuseUnknownArguments } from "./arguments";
import type { ConnectionInputs } from "./connection";
import { warn } from "./engine-log";
import { checkFiles, sha256OfFiles, warningsOf } from "./image-files";
import { inspectOnce } from "./inspect-once";
import { Problems } from "./problems";
import { isUnknown, UNKNOWN } from "./unknown";

/** The inputs of a `XenTempIso` as they are stored: plain values, defaults in place. */
export interface TempIsoInputs {
  /** A disc has this or {@link files}. */
  readonly isoPath?: string;
  readonly files?: IsoFiles;
  readonly volumeLabel?: string;
  readonly srName?: string;
  readonly isoName?: string;
  readonly srMountPath: string;
  /** That the disc is gone is no reason to make it anew. */
  readonly once?: boolean;
  readonly connection?: ConnectionInputs;
  /** URN of the resource, given by its class. */
  readonly owner: string;
  /** Of the content, lower-case hex. */
  readonly isoSha256: string;
}

/** With the folder's UUID and a name behind it, the path has to stay within {@link LONGEST_PATH_BYTES}. */
const LONGEST_SR_MOUNT_PATH_BYTES = 150;

/** blktap takes `aio:<path>` up to 254 bytes. */
const LONGEST_PATH_BYTES = 250;

const UUID_LENGTH = 36;

const ARGUMENTS = [
  "isoPath",
  "files",
  "volumeLabel",
  "srName",
  "isoName",
  "srMountPath",
  "once",
  "connection",
];

const KEPT_BY_IGNORE_CHANGES = ["isoSha256"];

/**
 * Checks the arguments without the network, and completes them: defaults, and the sha256 of the content.
 * Whatever is not known yet at preview is left for the up.
 *
 * @param olds the old inputs, empty for a new resource and for a replacement
 */
export async function checkTempIso(olds: Record<string, unknown>, given: Record<string, unknown>) {
  const news = withoutNull(given) as Record<string, unknown>;
  const problems = new Problems();
  const { srMountPath = DEFAULT_SR_MOUNT_PATH, owner } = news;

  refuseUnknownArguments(
    news,
    { className: "XenTempIso", names: ARGUMENTS, others: KEPT_BY_IGNORE_CHANGES },
    problems,
  );
  if (hasControlCharacter(owner)) problems.add("name", "the resource's name has a control character in it");
  check(srMountPath, "srMountPath", srMountPathProblem, problems);
  check(news["srName"], "srName", srNameProblem, problems);
  check(news["isoName"], "isoName", (name) => isoNameProblem(name, srMountPath), problems);
  checkBoolean(news, "once", problems);
  const isoSha256 = isSourceGood(news, problems) ? await sha256Of(olds, news, problems) : undefined;
  await checkHost(news, problems);

  if (problems.failures.length === 0)
    for (const warning of warningsOf(news["files"])) await warn(owner, warning);
  if (problems.failures.length === 0 && isInMemory(srMountPath))
    await warn(
      owner,
      `srMountPath ${String(srMountPath)} is in the host's memory: a reboot leaves the SR without its disc there, which ` +
        "can keep VMs from starting and the host from HA. A folder on disk, as the default is, outlives a reboot.",
    );
  return { inputs: { ...news, srMountPath, isoSha256 }, failures: problems.failures };
}

/** A secret that turns out to be undefined comes as null: it is left out, as any other undefined is on its way. */
function withoutNull(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutNull(item)]));
}

/** The name of the resource: what follows the type in `urn:pulumi:<stack>::<project>::<type>::<name>`. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/**
 * A name for the image on the host: `<resource name>-<uuid>.iso`, with whatever cannot stand in it replaced,
 * and shortened to fit.
 */
export function defaultIsoName(urn: string, srMountPath: string, uuid: string): string {
  const ending = `-${uuid}.iso`;
  const room = LONGEST_PATH_BYTES - srMountPath.length - UUID_LENGTH - 2 - ending.length;
  const cleaned = nameOf(urn).replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  // The storage manager takes the tools' names for the tools' own image.
  const name = /^(xs|guest)-tools/.test(cleaned) ? `iso-${cleaned}` : cleaned;
  return name.slice(0, room) + ending;
}

/** Whether there is nothing wrong with what the disc is made of, as it is written. */
function isSourceGood(news: Record<string, unknown>, problems: Problems): boolean {
  const { isoPath, files, volumeLabel } = news;
  const others = problems.failures.length;
  if (isoPath === undefined && files === undefined)
    problems.add(
      "isoPath",
      "is missing; set it to the path of an ISO file, or files to what the disc is to hold",
    );
  if (isoPath !== undefined && files !== undefined)
    problems.add("files", "are given, and isoPath too; a disc is made of one of them");
  if (files === undefined && volumeLabel !== undefined)
    problems.add("volumeLabel", "labels an image that is built from files; the one at isoPath has a label");
  if (isoPath !== undefined && (typeof isoPath !== "string" || isoPath === ""))
    problems.add("isoPath", "takes the path of a file as text, not a Pulumi asset or another object");
  if (files !== undefined) checkFiles(files, volumeLabel, problems);
  return problems.failures.length === others;
}

async function sha256Of(
  olds: Record<string, unknown>,
  news: Record<string, unknown>,
  problems: Problems,
): Promise<unknown> {
  const { isoPath, files, volumeLabel } = news;
  // ignoreChanges put the old value into the new inputs: the disc stays whatever became of the file.
  if (news["isoSha256"] !== undefined && news["isoSha256"] === olds["isoSha256"]) return olds["isoSha256"];
  if (files !== undefined) return sha256OfFiles(files, volumeLabel, problems);
  return isUnknown(isoPath) ? UNKNOWN : sha256OfFile(isoPath as string, news["owner"], problems);
}

async function sha256OfFile(
  isoPath: string,
  owner: unknown,
  problems: Problems,
): Promise<string | undefined> {
  try {
    const { sha256, sizeBytes } = await inspectOnce(isoPath);
    if (sizeBytes % 512 !== 0)
      await warn(
        owner,
        `${isoPath} has ${sizeBytes} bytes, no multiple of 512: the VM will not see the last ones.`,
      );
    return sha256;
  } catch (error) {
    problems.add("isoPath", isoPathProblem(isoPath, error));
    return undefined;
  }
}

function isoPathProblem(isoPath: string, error: unknown): string {
  if (error instanceof NotAnImageError)
    return `${isoPath} cannot be used: ${error.message}; give an ISO image`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT")
    return `there is no file ${resolve(isoPath)}; a relative path counts from the program's folder`;
  return `${resolve(isoPath)} cannot be read (${code ?? String(error)}); check its permissions`;
}

type Rule = (value: string) => string | undefined;

function check(value: unknown, argument: string, rule: Rule, problems: Problems): void {
  if (value === undefined || isUnknown(value)) return;
  const problem = typeof value === "string" && value !== "" ? rule(value) : "takes a text that is not empty";
  if (problem) problems.add(argument, problem);
}

function srNameProblem(srName: string): string | undefined {
  if (hasControlCharacter(srName))
    return "has a control character in it; xe would take it for a further argument";
  return srName.length > 200 ? "has more than 200 characters" : undefined;
}

function srMountPathProblem(path: string): string | undefined {
  if (!/^(\/[^/]+)+$/.test(path))
    return "takes an absolute folder of the host such as /var/opt/xen-iso, without a slash at its end";
  if (path.split("/").some((part) => part === "." || part === "..")) return "may not hold . or ..";
  if (!isPrintableAscii(path) || path.includes("="))
    return "takes printable ASCII without =; the storage manager finds no other path";
  return path.length > LONGEST_SR_MOUNT_PATH_BYTES
    ? `has more than ${LONGEST_SR_MOUNT_PATH_BYTES} bytes`
    : undefined;
}

/** Where every supported dom0 has a tmpfs; `/var/run` is a link to `/run`. */
function isInMemory(srMountPath: unknown): boolean {
  return typeof srMountPath === "string" && /^(\/var)?\/run\/|^\/dev\/shm(\/|$)/.test(`${srMountPath}/`);
}

function isoNameProblem(name: string, srMountPath: unknown): string | undefined {
  if (!isPrintableAscii(name) || /[/=]/.test(name))
    return "takes printable ASCII without / and =; the storage manager finds no other file";
  if (!name.endsWith(".iso")) return "has to end in .iso";
  if (/^(xs|guest)-tools/i.test(name))
    return "may not begin with xs-tools or guest-tools; the storage manager takes such a file for the tools' image";
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(iso|img)/i.test(name))
    return "may not begin with <uuid>.iso; it would become the disc's UUID, which has to be free in the whole pool";
  const room = LONGEST_PATH_BYTES - String(srMountPath).length - UUID_LENGTH - 2;
  return name.length > room
    ? `has more than ${room} characters, which is what fits with srMountPath`
    : undefined;
}

function isPrintableAscii(text: string): boolean {
  return /^[\x20-\x7e]+$/.test(text);
}

function hasControlCharacter(value: unknown): boolean {
  return typeof value === "string" && /\p{Cc}/u.test(value);
}
