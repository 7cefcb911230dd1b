import { createHash } from "node:crypto";
import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import {
  type Range,
  sha256Of,
  type StreamSource,
  type Upload,
  uploadBySftp,
  uploadRange,
  type UploadSource,
  uploadStream,
} from "../ssh/upload";
import { waiting } from "../ssh/wait";
import { downloadOnHost } from "./download";
import { HostError, withHostWords } from "./error";
import { FILE, type Folder, pathOf } from "./folder";
import type { KnownImage, TempIsoPlan } from "./plan";
import { report } from "./progress";
import { EXIT, valueOf } from "./protocol";
import { remote } from "./remote";
import { noRoom } from "./room";

const MIB = 1024 ** 2;

/** Ranges begin at multiples of this size. */
const UNIT_BYTES = MIB;

/** dd writes and counts in blocks of this size: small enough to stay in the processor's cache. */
const WRITE_BYTES = UNIT_BYTES / 8;

/**
 * SSH's window limits a stream to 2 MiB per round trip. At 50 ms, six streams are four times as fast as `scp`;
 * without delay they make no difference (`npm run bench -- --only far`).
 */
const STREAMS = 6;

/** Smaller images are sent as one stream. */
const LEAST_FOR_STREAMS_BYTES = 8 * MIB;

/** After a lost connection, the host prints the hash of each block of this size. */
const BLOCK_BYTES = UNIT_BYTES;

/** How many blocks of {@link WRITE_BYTES} are written between two checks of the room: 64 MiB. */
const STEP_BLOCKS = (64 * MIB) / WRITE_BYTES;

/** A slow disk takes minutes to write or read some GiB. */
const DISK_TIMEOUT_MS = 10 * 60_000;

type Uploaded = Pick<TempIsoPlan, "folder" | "image" | "signal">;

/** An image that can be read at any position. */
type KnownUpload = Uploaded & { readonly image: KnownImage };

/**
 * Sends the image into the folder with {@link sendImage}, and checks that it did not change in the meantime.
 *
 * @throws {@link HostError} `UPLOAD_INCOMPLETE`, `IMAGE_CHANGED`
 */
export async function uploadImage(
  host: SharedConnection,
  plan: Uploaded,
  options: { isBegun?: boolean } = {},
): Promise<void> {
  const { folder, image, signal } = plan;
  if ("stream" in image) {
    const { stream } = image;
    const steps = { blockBytes: WRITE_BYTES, stepBlocks: STEP_BLOCKS };
    return stream.download
      ? downloadOnHost(host, { folder, download: stream.download, signal }, steps)
      : sendStream(host, { folder, stream, signal }, options);
  }
  await sendImage(host, { folder, image, signal }, options);
  await assertUnchanged(host, { image });
}

/** @throws {@link HostError} `IMAGE_CHANGED` if the image is not as it was when it was hashed */
export async function assertUnchanged(
  host: SharedConnection,
  { image }: Pick<KnownUpload, "image">,
): Promise<void> {
  if ((await image.source.sha256()) !== image.sha256) throw imageChanged(host, image.source);
}

/**
 * Sends the image into the folder, under a temporary name until it is complete: to the host, a killed client
 * looks like end of file.
 *
 * @param isBegun a part of it may be there, from an upload whose connection was lost; that part is not sent again
 * @param onArrived is given the number of bytes each time that some more are there; by default, progress is reported
 * @throws {@link HostError} `UPLOAD_INCOMPLETE`
 */
export async function sendImage(
  host: SharedConnection,
  { folder, image: { source }, signal }: KnownUpload,
  { isBegun = false, onArrived }: { isBegun?: boolean; onArrived?: (bytes: number) => void } = {},
): Promise<void> {
  const { sizeBytes } = source;
  const missing = isBegun ? await missingRanges(host, folder, source) : rangesOf(sizeBytes);
  const missingBytes = missing.reduce((sum, { start, end }) => sum + end - start, 0);
  const failure = new AbortController();
  const upload = {
    source,
    signal: AbortSignal.any([signal, failure.signal]),
    onArrived: onArrived ?? reporting(sizeBytes, sizeBytes - missingBytes),
  };
  try {
    const results = await Promise.all(missing.map((range) => sendRange(host, folder, upload, range)));
    // A startup file of the root shell has read part of it.
    if (results.includes("short")) await uploadBySftp(host, upload, `${pathOf(folder)}/${FILE.upload}`);
  } catch (error) {
    failure.abort(error);
    throw error;
  }
}

/** Reports the progress of an upload, given the number of bytes each time that some more are on the host. */
export function reporting(totalBytes: number, sentBytes = 0): (bytes: number) => void {
  return (bytes) => {
    sentBytes = Math.min(sentBytes + bytes, totalBytes);
    report({ step: "uploading", sentBytes, totalBytes });
  };
}

/**
 * Reads all of a small image.
 *
 * @throws {@link HostError} `IMAGE_CHANGED` if it is not as it was when it was hashed
 */
export async function readUnchanged(
  host: SharedConnection,
  { source, sha256 }: KnownImage,
): Promise<Uint8Array> {
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

/** The image cannot be put into the folder. */
export function imageFailed(
  host: SharedConnection,
  { folder, isoName }: Pick<TempIsoPlan, "folder" | "isoName">,
  result: { readonly stderr: string },
): HostError {
  const message = `The image could not be put as ${isoName} into ${pathOf(folder)} on ${host.address}. Check the space and the file system there.`;
  return new HostError("FOLDER_FAILED", host.address, withHostWords(message, result));
}

/** The image did not arrive, or not all of it. */
export function uploadIncomplete(
  host: SharedConnection,
  folder: Folder,
  result: { readonly stderr: string },
): HostError {
  const message =
    `The image did not arrive whole on ${host.address}. ` +
    `Check the space in ${folder.srMountPath}, and that root's .bashrc does not read stdin, then run the command again.`;
  return new HostError("UPLOAD_INCOMPLETE", host.address, withHostWords(message, result));
}

async function sendRange(
  host: SharedConnection,
  folder: Folder,
  upload: Upload,
  range: Range,
): Promise<"whole" | "short"> {
  const writer = remote(sh`write_range ${pathOf(folder)} ${range.start / WRITE_BYTES} ${WRITE_BYTES}`);
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

/** The SHA-256 of each block that the host has, in order. */
async function blocksThere(host: SharedConnection, folder: Folder): Promise<readonly string[]> {
  const script = remote(sh`hash_blocks ${pathOf(folder)} ${BLOCK_BYTES}`);
  const result = await host.exec(script, { purpose: "look at the upload", timeoutMs: DISK_TIMEOUT_MS });
  if (result.status !== 0) throw uploadIncomplete(host, folder, result);
  return [...result.stdout.matchAll(/^([0-9a-f]{64})\b/gm)].map(([, sha256 = ""]) => sha256);
}

/**
 * The ranges that the host lacks or has with other content. Each range can be cut off at another place when a
 * connection breaks.
 */
async function missingRanges(host: SharedConnection, folder: Folder, source: UploadSource): Promise<Range[]> {
  const there = await blocksThere(host, folder);
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

/** Sends a stream from its beginning; after a lost connection, skips the blocks that the host has. */
async function sendStream(
  host: SharedConnection,
  { folder, stream, signal }: { folder: Folder; stream: StreamSource; signal: AbortSignal },
  { isBegun = false }: { isBegun?: boolean },
): Promise<void> {
  const there = isBegun ? await blocksThere(host, folder) : [];
  const failure = new AbortController();
  const wait = { what: `an answer from ${stream.name}`, atMost: "four times 60 s of silence" };
  const { sizeBytes, pieces } = await waiting(wait, () =>
    stream.open(AbortSignal.any([signal, failure.signal])),
  );
  try {
    const { skippedBytes, rest } = await skipKnown(pieces, there);
    const counted = new Counted(rest);
    let arrivedBytes = skippedBytes;
    const onArrived = (bytes: number) => {
      arrivedBytes += bytes;
      const total = sizeBytes !== undefined && { totalBytes: sizeBytes };
      report({ step: "uploading", sentBytes: arrivedBytes, ...total });
    };
    const restBytes = (sizeBytes ?? skippedBytes) - skippedBytes;
    const writer = sh`write_stream ${pathOf(folder)} ${skippedBytes / WRITE_BYTES} ${restBytes} ${WRITE_BYTES} ${STEP_BLOCKS}`;
    const result = await uploadStream(host, counted, { signal, onArrived }, remote(writer));
    if (result.status === EXIT.noRoom) {
      const leastBytes = skippedBytes + counted.bytes;
      const image = { sizeBytes: Math.max(sizeBytes ?? 0, leastBytes), srMountPath: folder.srMountPath };
      throw noRoom(result.stdout, image, host.address);
    }
    const isWhole = Number(valueOf(result.stdout, "received")) === counted.bytes;
    if (result.status !== 0 || !isWhole) throw uploadIncomplete(host, folder, result);
  } catch (error) {
    failure.abort(error);
    throw error;
  }
}

/** Counts the bytes that are read. */
class Counted implements AsyncIterable<Uint8Array> {
  bytes = 0;

  constructor(private readonly pieces: AsyncIterable<Uint8Array>) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const piece of this.pieces) {
      this.bytes += piece.length;
      yield piece;
    }
  }
}

/**
 * Reads blocks as long as they equal those on the host.
 *
 * @param there SHA-256 of each block on the host
 */
async function skipKnown(
  pieces: AsyncIterable<Uint8Array>,
  there: readonly string[],
): Promise<{ skippedBytes: number; rest: AsyncIterable<Uint8Array> }> {
  if (there.length === 0) return { skippedBytes: 0, rest: pieces };
  const blocks = blocksOf(pieces);
  let skippedBytes = 0;
  for (const known of there) {
    const { done, value } = await blocks.next();
    if (done) break;
    if (value.length < BLOCK_BYTES || known !== createHash("sha256").update(value).digest("hex"))
      return { skippedBytes, rest: startingWith(value, blocks) };
    skippedBytes += value.length;
  }
  return { skippedBytes, rest: blocks };
}

/** Full blocks, then a last one that may be shorter. */
async function* blocksOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, undefined> {
  const block = Buffer.alloc(BLOCK_BYTES);
  let filled = 0;
  for await (const piece of pieces)
    for (let start = 0; start < piece.length;) {
      const part = piece.subarray(start, start + BLOCK_BYTES - filled);
      block.set(part, filled);
      start += part.length;
      filled += part.length;
      if (filled < BLOCK_BYTES) continue;
      yield block;
      filled = 0;
    }
  if (filled > 0) yield block.subarray(0, filled);
}

async function* startingWith(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}
