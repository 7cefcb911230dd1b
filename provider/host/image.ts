import { createHash } from "node:crypto";
import { type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import {
  type Range,
  sha256Of,
  type Upload,
  uploadBySftp,
  uploadRange,
  type UploadSource,
} from "../ssh/upload";
import { HostError } from "./error";
import { EXIT, failed, FILE, type Folder, NOTE_WRITER, pathOf } from "./folder";
import { report } from "./progress";

/** An image on its way to a host. */
export interface Image {
  readonly source: UploadSource;
  /** What check found in it: lower-case hex. */
  readonly sha256: string;
  /** File name on the host. */
  readonly isoName: string;
  /** Ends the upload when it is aborted. */
  readonly signal: AbortSignal;
}

const MIB = 1024 ** 2;

/** Ranges begin at multiples of it. */
const UNIT_BYTES = MIB;

/** What dd writes at once, and counts in: little enough to stay in the processor's cache. */
const WRITE_BYTES = UNIT_BYTES / 8;

/**
 * A stream is held by SSH's window of 2 MiB for each round trip: over 50 ms four of them are three times as
 * fast as `scp`, six four times; over none it makes no difference. (`npm run bench -- --only far`)
 */
const STREAMS = 6;

/** An image that is smaller is sent as one stream. */
const LEAST_FOR_STREAMS_BYTES = 8 * MIB;

/** After a lost connection the host tells the hash of each so many bytes that it has. */
const BLOCK_BYTES = UNIT_BYTES;

/** A slow disk takes minutes for some GiB, to write them as to read them again. */
const DISK_TIMEOUT_MS = 10 * 60_000;

/**
 * Sends the image into the folder, under another name until it is known to be whole: a killed client looks
 * like the end of the file over there.
 *
 * @param isBegun a part of it may be there, of an upload whose connection was lost: that is not sent again
 * @throws {@link HostError} `UPLOAD_INCOMPLETE`, `IMAGE_CHANGED`
 */
export async function uploadImage(
  host: SharedConnection,
  folder: Folder,
  image: Image,
  { isBegun = false } = {},
): Promise<void> {
  const { source } = image;
  const missing = isBegun ? await missingRanges(host, folder, source) : rangesOf(source.sizeBytes);
  const failure = new AbortController();
  const upload = uploadOf(image, missing, AbortSignal.any([image.signal, failure.signal]));
  try {
    const results = await Promise.all(missing.map((range) => sendRange(host, folder, upload, range)));
    // A start-up file of the root shell has read some of it.
    if (results.includes("short")) await uploadBySftp(host, upload, `${pathOf(folder)}/${FILE.upload}`);
  } catch (error) {
    failure.abort(error);
    throw error;
  }
  if ((await source.sha256()) !== image.sha256) throw imageChanged(host, source);
}

/**
 * All of a small image, as it was when it was hashed.
 *
 * @throws {@link HostError} `IMAGE_CHANGED`
 */
export async function readUnchanged(host: SharedConnection, { source, sha256 }: Image): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source.read({ start: 0, end: source.sizeBytes })) chunks.push(Buffer.from(chunk));
  const bytes = Buffer.concat(chunks);
  if (createHash("sha256").update(bytes).digest("hex") !== sha256) throw imageChanged(host, source);
  return bytes;
}

function imageChanged({ address }: SharedConnection, { name }: UploadSource): HostError {
  const message = `${name} changed while the program ran. Run the command again once nothing writes to it.`;
  return new HostError("IMAGE_CHANGED", address, message);
}

/** The image did not arrive, or not all of it. */
export function uploadIncomplete(
  host: SharedConnection,
  folder: Folder,
  result: { status: number; stdout: string; stderr: string },
): HostError {
  const message =
    `The image did not arrive whole on ${host.address}. ` +
    `Check the space in ${folder.srMountPath}, and that root's .bashrc does not read standard input, then run the command again.`;
  return failed(host, "UPLOAD_INCOMPLETE", message, result);
}

/**
 * In the folder it is in, takes a small image from standard input, and brings it to the disk. It has its name from
 * the first byte on; that it is whole, by dd's own count, the record beside it says.
 */
export function receiveImage(image: Image): Script {
  const { isoName, source } = image;
  const { sizeBytes } = source;
  return sh`echo ready
received=$(exec dd of=${isoName} bs=${sizeBytes} count=1 iflag=fullblock conv=fsync 2>&1) || {
  # What went wrong, without the counts that follow it.
  printf '%s\n' "\${received%%$'\n'[0-9]*}" >&2
  exit ${EXIT.imageFailed}
}
[[ $received == *$'\n'${sizeBytes}" bytes"* ]] || exit ${EXIT.notWhole}
echo received
${recordImage(image)}`;
}

/**
 * Of the folder it is in: brings the upload to the disk.
 *
 * dd syncs this one file: a bare sync would flush every mounted SR, and hang on a dead NFS.
 */
export const SYNC_IMAGE: Script = sh`[ -f ${FILE.image} ] || dd of=${FILE.upload} conv=notrunc,fsync status=none </dev/null || exit ${EXIT.imageFailed}`;

/**
 * Of the folder it is in: sees that the upload is whole, and gives it its name. A failure before that has left no
 * file that anybody would take for the image.
 */
export function nameImage(image: Image): Script {
  const { isoName, source } = image;
  return sh`if [ -f ${FILE.image} ]; then
  identity=$(stat -c '%i %s %y' -- ${isoName})
else
  identity=$(stat -c '%i %s %y' -- ${FILE.upload})
  [[ $identity == *" "${source.sizeBytes}" "* ]] || exit ${EXIT.notWhole}
  mv -T -- ${FILE.upload} ${isoName} || exit ${EXIT.imageFailed}
  ${recordImage(image)}
fi
echo "image=$identity"`;
}

/** Says that the image is whole, by which its twins find it. */
function recordImage({ source, sha256, isoName }: Image): Script {
  return sh`printf '%s\n' ${[sha256, String(source.sizeBytes), isoName]} >${FILE.image} || exit ${EXIT.imageFailed}`;
}

function uploadOf({ source }: Image, ranges: readonly Range[], signal: AbortSignal): Upload {
  const missingBytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  let sentBytes = source.sizeBytes - missingBytes;
  const onSent = (bytes: number) => {
    sentBytes = Math.min(sentBytes + bytes, source.sizeBytes);
    report({ step: "uploading", sentBytes, totalBytes: source.sizeBytes });
  };
  return { source, signal, onSent };
}

async function sendRange(
  host: SharedConnection,
  folder: Folder,
  upload: Upload,
  range: Range,
): Promise<"whole" | "short"> {
  const writer = sh`umask 077
cd -- ${pathOf(folder)} || exit
${NOTE_WRITER}
dd of=${FILE.upload} bs=${WRITE_BYTES} seek=${range.start / WRITE_BYTES} iflag=fullblock conv=notrunc`;
  const result = await uploadRange(host, upload, range, writer);
  if (result.status !== 0) throw uploadIncomplete(host, folder, result);
  const writtenBytes = Number(/^(\d+) bytes/m.exec(result.stderr)?.[1]);
  return writtenBytes === range.end - range.start ? "whole" : "short";
}

function rangesOf(sizeBytes: number): Range[] {
  if (sizeBytes < LEAST_FOR_STREAMS_BYTES) return [{ start: 0, end: sizeBytes }];
  const length = Math.ceil(sizeBytes / STREAMS / UNIT_BYTES) * UNIT_BYTES;
  return Array.from({ length: STREAMS }, (_, index) => ({
    start: Math.min(index * length, sizeBytes),
    end: Math.min((index + 1) * length, sizeBytes),
  })).filter(({ start, end }) => start < end);
}

/** What the host has not, or not as it is here: each range went its own way when the connection broke. */
async function missingRanges(host: SharedConnection, folder: Folder, source: UploadSource): Promise<Range[]> {
  const script = sh`cd -- ${pathOf(folder)} || exit
[ ! -f ${FILE.upload} ] || nice -n 19 split -b ${BLOCK_BYTES} --filter='sha256sum' ${FILE.upload}`;
  const result = await host.exec(script, { purpose: "look at the upload", timeoutMs: DISK_TIMEOUT_MS });
  if (result.status !== 0) throw uploadIncomplete(host, folder, result);
  const there = [...result.stdout.matchAll(/^([0-9a-f]{64})\b/gm)].map(([, sha256]) => sha256);

  const missing: Range[] = [];
  for (let start = 0; start < source.sizeBytes; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, source.sizeBytes);
    const sha256 = there[start / BLOCK_BYTES];
    if (sha256 !== undefined && sha256 === (await sha256Of(source.read({ start, end })))) continue;
    const last = missing.at(-1);
    if (last?.end === start) missing[missing.length - 1] = { start: last.start, end };
    else missing.push({ start, end });
  }
  return missing;
}
