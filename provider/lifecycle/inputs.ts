import { basename, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { v4 as uuidv4 } from "uuid";
import { DEFAULT_SR_MOUNT_PATH } from "../host/folder";
import { type ImageFormat, NEWEST_IMAGE_FORMAT } from "../iso/build";
import { volumeLabelProblem } from "../iso/check";
import { NotAnImageError, volumeBytesOf } from "../iso/inspect";
import { SourceError } from "../source/error";
import { assertChecksum } from "../source/image";
import {
  acceptConnection,
  type Arguments,
  type ArgumentTable,
  checkArguments,
  connection,
  hostConnections,
  optional,
  optionalBoolean,
  optionalText,
} from "./arguments";
import { withoutAssets } from "./assets";
import type { ConnectionInputs } from "./connection";
import { checkFiles, nameFiles, warningsOf } from "./image-files";
import { inspectOnce } from "./inspect-once";
import { checksumProblem, localPathProblem, missingHint, urlProblem } from "./locations";
import { Problems } from "./problems";
import { isUnknown, UNKNOWN } from "./unknown";
import type { DiscFiles } from "./url-files";
import { checksumFor, identityOf, type UrlInputs } from "./url-image";
import { warnOnce } from "./warn-once";

/** The inputs of a `XenTempIso` as they are stored: plain values, with defaults. */
export interface TempIsoInputs {
  /** A disc has this, {@link isoUrl} or {@link files}. */
  readonly isoPath?: string;
  readonly isoUrl?: string;
  /** Checksum of the file, or of the image in it: `sha256:<hex>`, `sha512:<hex>`, or the URL of a list. */
  readonly isoChecksum?: string;
  /** Sent with requests for {@link isoUrl}. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The host fetches {@link isoUrl} itself. */
  readonly downloadOnHost?: boolean;
  readonly files?: DiscFiles;
  readonly volumeLabel?: string;
  readonly srName?: string;
  readonly isoName?: string;
  readonly srMountPath: string;
  /** The image on every host of the pool, and one shared SR. */
  readonly poolWide?: boolean;
  /** By `name-label` or address of a host of the pool: fields that differ from {@link connection}. */
  readonly hostConnections?: Readonly<Record<string, ConnectionInputs>>;
  readonly skipOfflineHosts?: boolean;
  /** A disc that is gone is not made again. */
  readonly once?: boolean;
  readonly connection?: ConnectionInputs;
  /** URN of the resource, added by its class. */
  readonly owner: string;
  /** Of the stack, added by the class; the plugin is not told it. */
  readonly organization?: string;
  /** SHA-256 of the content, lower-case hex. For content from a URL it is known once create has read it. */
  readonly isoSha256?: string;
  /** Identifies the content of an image at a URL, or of one that is built with files from URLs. */
  readonly isoIdentity?: string;
  /** Of an image built from files; 0.1.0, which built format 1, did not store it. */
  readonly imageFormat?: ImageFormat;
  /**
   * Identifies the disc, which a URN cannot: a UUID that check chooses once. It is the name of the folder on
   * the host, and so part of the SR's description. Discs of 0.1.0 have none; their state knows the folder by
   * `srPath`.
   */
  readonly nonce?: string;
}

type Added = "owner" | "organization" | "isoSha256" | "isoIdentity" | "imageFormat" | "nonce";

const SOURCES = ["isoPath", "isoUrl", "files"] as const;

const ARGUMENTS: ArgumentTable<Exclude<keyof TempIsoInputs, Added>> = {
  rules: {
    isoPath: optional(isoPathProblem),
    isoUrl: optionalText(isoUrlProblem),
    isoChecksum: optionalText(isoChecksumProblem),
    headers: optional(headersProblem),
    downloadOnHost: optional(downloadOnHostProblem),
    files: optional(checkFiles),
    volumeLabel: optional(labelProblem),
    srName: optionalText(srNameProblem),
    isoName: optionalText(isoNameProblem),
    srMountPath: optionalText(srMountPathProblem),
    once: optionalBoolean,
    poolWide: optionalBoolean,
    hostConnections: optional(hostConnectionsProblem),
    skipOfflineHosts: optionalBoolean,
    connection,
  },
  added: ["isoSha256", "isoIdentity", "imageFormat", "nonce"],
};

/** The path with the folder's UUID and a file name must not exceed {@link LONGEST_PATH_BYTES}. */
const LONGEST_SR_MOUNT_PATH_BYTES = 150;

/** blktap accepts `aio:<path>` up to 254 bytes. */
const LONGEST_PATH_BYTES = 250;

const UUID_LENGTH = 36;

/**
 * Checks the arguments without the network, and adds the defaults and the sha256 of the content. Values that
 * are unknown at preview are checked at the up.
 *
 * @param olds the old inputs, empty for a new resource and for a replacement
 */
export async function checkTempIso(olds: Arguments, given: Arguments) {
  const problems = new Problems();
  const files = withoutAssets(given["files"], problems);
  const args = checkArguments({ ...given, ...(files !== undefined && { files }) }, ARGUMENTS, problems);
  const { srMountPath = DEFAULT_SR_MOUNT_PATH, owner } = args;
  if (hasControlCharacter(owner)) problems.add("name", "the resource's name has a control character in it");
  checkSource(olds, args, problems);
  const isSourceGood = !problems.concern(
    ...SOURCES,
    "volumeLabel",
    "isoChecksum",
    "headers",
    "downloadOnHost",
  );
  const content = isSourceGood ? await contentOf(olds, args, problems) : {};

  if (problems.failures.length === 0) {
    await acceptConnection(args, problems);
    for (const warning of await warningsOf(args["files"], args["volumeLabel"]))
      await warnOnce(owner, warning);
    if (isInMemory(srMountPath))
      await warnOnce(
        owner,
        `srMountPath ${String(srMountPath)} is in the host's memory: a reboot leaves the SR there without its disc, which ` +
          "can keep VMs from starting and the host from HA. A folder on disk, such as the default, survives a reboot.",
      );
  }
  const { imageFormat: _, ...inputs } = args;
  // The engine passes no old inputs for a new resource or a replacement.
  const nonce = Object.keys(olds).length === 0 ? uuidv4() : olds["nonce"];
  return { inputs: { ...inputs, srMountPath, ...content, nonce }, failures: problems.failures };
}

/** The name of the resource: what follows the type in `urn:pulumi:<stack>::<project>::<type>::<name>`. */
export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

/**
 * A name for the image on the host: `<resource name>-<uuid>.iso`, with invalid characters replaced, and
 * shortened to fit.
 */
export function defaultIsoName(urn: string, srMountPath: string, uuid: string): string {
  const ending = `-${uuid}.iso`;
  const room = LONGEST_PATH_BYTES - srMountPath.length - UUID_LENGTH - 2 - ending.length;
  const cleaned = nameOf(urn).replaceAll(/[^A-Za-z0-9._-]+/g, "-");
  // The storage manager treats names of the tools as the tools' own image.
  const name = /^(xs|guest)-tools/.test(cleaned) ? `iso-${cleaned}` : cleaned;
  return name.slice(0, room) + ending;
}

/** A disc has one source. The engine checks an imported one with its inputs alone: its content is on the host. */
function checkSource(olds: Arguments, args: Arguments, problems: Problems): void {
  const [first, ...others] = SOURCES.filter((name) => args[name] !== undefined);
  if (first === undefined && !isKept("isoSha256", olds, args))
    problems.add(
      "isoPath",
      "is missing; set it to the path of an ISO file, isoUrl to the URL of one, or files to build the image",
    );
  for (const name of others)
    problems.add(
      name,
      `cannot be given together with ${first}: give exactly one of isoPath, isoUrl and files`,
    );
}

/** Needed only with `poolWide`, so that a forgotten `poolWide` is noticed. */
function hostConnectionsProblem(value: unknown, args: Arguments, problems: Problems): string | undefined {
  const { poolWide } = args;
  if (poolWide !== true && !isUnknown(poolWide))
    return "says how hosts of a pool are reached; set poolWide too";
  return hostConnections(value, args, problems);
}

function isoPathProblem(isoPath: unknown): string | undefined {
  return typeof isoPath === "string" && isoPath !== ""
    ? localPathProblem(isoPath, "isoUrl")
    : "must be the path of a file as a non-empty string, not a Pulumi asset or another object";
}

function isoUrlProblem(isoUrl: string): string | undefined {
  return urlProblem(isoUrl, { pathArgument: "isoPath", login: "set headers to { Authorization: … }" });
}

function isoChecksumProblem(isoChecksum: string, { isoPath, isoUrl }: Arguments): string | undefined {
  if (isoPath === undefined && isoUrl === undefined)
    return "goes with isoPath or isoUrl; a file in `files` has its own, as { url, checksum }";
  return checksumProblem(isoChecksum);
}

function headersProblem(headers: unknown, { isoUrl }: Arguments): string | undefined {
  if (isoUrl === undefined) return "are sent with requests for isoUrl, which is not set";
  if (typeof headers !== "object" || headers === null || Array.isArray(headers))
    return "must be an object such as { Authorization: … }";
  const wrong = Object.entries(headers).find(([name, value]) => !isUnknown(value) && !isHeader(name, value));
  return wrong && `${wrong[0]} must be a header's name with a string of printable characters as its value`;
}

function downloadOnHostProblem(
  value: unknown,
  { isoUrl, isoChecksum, poolWide }: Arguments,
): string | undefined {
  if (typeof value !== "boolean") return "must be true or false";
  if (!value) return undefined;
  if (poolWide === true) return "cannot be given with poolWide; the image is downloaded once, for all hosts";
  if (isoUrl === undefined) return "needs isoUrl, which the host is to download";
  return isoChecksum === undefined
    ? "needs isoChecksum, because what the host downloads is not seen here"
    : undefined;
}

function isHeader(name: string, value: unknown): boolean {
  return (
    /^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof value === "string" && /^[\t\x20-\x7e\x80-\xff]*$/.test(value)
  );
}

function labelProblem(volumeLabel: unknown, { files }: Arguments): string | undefined {
  return files === undefined
    ? "labels an image built from files; any other image has its own label"
    : volumeLabelProblem(volumeLabel);
}

/** What a check adds about the content of a disc. */
type Content = Readonly<Partial<Record<"isoSha256" | "isoIdentity" | "imageFormat", unknown>>>;

/** What identifies the content; unknown content is left for the up. */
async function contentOf(olds: Arguments, news: Arguments, problems: Problems): Promise<Content> {
  const { isoPath, isoUrl, isoChecksum, headers, files } = news;
  // ignoreChanges copied the old value into the new inputs: the disc stays, whatever happened to the file.
  if (isKept("isoSha256", olds, news) || isKept("isoIdentity", olds, news)) return oldContent(olds);
  if (files !== undefined) return contentOfFiles(olds, news, problems);
  if (isoUrl !== undefined) {
    const values = [isoUrl, isoChecksum, headers, ...Object.values({ ...(headers as object) })];
    const isKnown = !values.some((value) => isUnknown(value));
    return { isoIdentity: isKnown ? await identityAt(news as unknown as UrlInputs, problems) : UNKNOWN };
  }
  const isKnown = !isUnknown(isoPath) && !isUnknown(isoChecksum);
  return { isoSha256: isKnown ? await sha256OfFile(news, problems) : UNKNOWN };
}

function isKept(name: string, olds: Arguments, news: Arguments): boolean {
  return news[name] !== undefined && news[name] === olds[name];
}

/**
 * A disc keeps the format in which it was built until its content changes, so that a new release replaces none.
 */
async function contentOfFiles(
  olds: Arguments,
  { files, volumeLabel }: Arguments,
  problems: Problems,
): Promise<Content> {
  const { imageFormat: oldFormat = 1, isoSha256, isoIdentity } = olds;
  if (oldFormat === 1 && (isoSha256 ?? isoIdentity) !== undefined) {
    const content = await nameFiles(files, { volumeLabel, imageFormat: oldFormat }, problems);
    if (content === undefined) return {};
    if (isDeepStrictEqual(content, isoSha256 === undefined ? { isoIdentity } : { isoSha256 }))
      return oldContent(olds);
  }
  const imageFormat = NEWEST_IMAGE_FORMAT;
  return { ...(await nameFiles(files, { volumeLabel, imageFormat }, problems)), imageFormat };
}

function oldContent(olds: Arguments): Content {
  const names = ["isoSha256", "isoIdentity", "imageFormat"] as const;
  return Object.fromEntries(
    names.filter((name) => olds[name] !== undefined).map((name) => [name, olds[name]]),
  );
}

async function identityAt(inputs: UrlInputs, problems: Problems): Promise<string | undefined> {
  try {
    return await identityOf(inputs);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    problems.add(inputs.isoChecksum === undefined ? "isoUrl" : "isoChecksum", error.message);
    return undefined;
  }
}

async function sha256OfFile(news: Arguments, problems: Problems): Promise<string | undefined> {
  const { isoPath, isoChecksum, owner } = news as { isoPath: string; isoChecksum?: string; owner: unknown };
  try {
    const wanted = isoChecksum === undefined ? undefined : await checksumFor(isoChecksum, basename(isoPath));
    const { sha256, sizeBytes, checksums } = await inspectOnce(isoPath, wanted?.algorithm);
    const own = { algorithm: "sha256", hex: sha256 } as const;
    if (wanted) assertChecksum(wanted, checksums ?? { file: own, image: own }, isoPath);
    if (sizeBytes % 512 !== 0)
      await warnOnce(
        owner,
        `${isoPath} has ${sizeBytes} bytes, no multiple of 512: the VM will not see the last ones.`,
      );
    const volumeBytes = (await volumeBytesOf(isoPath)) ?? 0;
    if (volumeBytes > sizeBytes)
      await warnOnce(
        owner,
        `${isoPath} has ${sizeBytes} bytes, but says that it holds a volume of ${volumeBytes}: it may be a download that was cut off.`,
      );
    return sha256;
  } catch (error) {
    const isOfChecksum =
      error instanceof SourceError && !["ARCHIVE_DAMAGED", "NOT_AN_IMAGE"].includes(error.code);
    problems.add(isOfChecksum ? "isoChecksum" : "isoPath", unreadable(isoPath, error));
    return undefined;
  }
}

function unreadable(isoPath: string, error: unknown): string {
  if (error instanceof SourceError) return error.message;
  if (error instanceof NotAnImageError)
    return `${isoPath} cannot be used: ${error.message}; give an ISO image`;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return `there is no file ${resolve(isoPath)}; ${missingHint(isoPath)}`;
  return `${resolve(isoPath)} cannot be read (${code ?? String(error)}); check its permissions`;
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

/** A tmpfs on every supported dom0; `/var/run` is a link to `/run`. */
function isInMemory(srMountPath: unknown): boolean {
  return typeof srMountPath === "string" && /^(\/var)?\/run\/|^\/dev\/shm(\/|$)/.test(`${srMountPath}/`);
}

function isoNameProblem(
  name: string,
  { srMountPath = DEFAULT_SR_MOUNT_PATH }: Arguments,
): string | undefined {
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
