import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { SshError } from "./error";
import type { ExecResult } from "./exec";
import { rejectWhenAborted } from "./reject-when-aborted";
import { STALL_TIMEOUT_MS } from "./send-window";
import type { Script } from "./sh";
import type { SharedConnection } from "./shared-connection";
import { timeLimit } from "./time-limit";

/** A part of a file: the bytes from `start` up to before `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** An image of known size that can be read at any position. */
export interface UploadSource {
  /** Its name in messages: the path of a local file. */
  readonly name: string;
  readonly sizeBytes: number;
  /**
   * The bytes of a range. Each piece is valid until the next one is asked for. Can be called repeatedly and
   * concurrently.
   */
  read(range: Range): AsyncIterable<Uint8Array>;
  /** SHA-256 of all bytes as they are now, lower-case hex. */
  sha256(): Promise<string>;
}

/** The size and hash of an image. */
export interface Content {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Bytes that come in order only, such as a download. What they are is known when all have come. */
export interface StreamSource {
  /** Its name in messages: a URL. */
  readonly name: string;
  /** Equal for equal content. */
  readonly identity: string;
  /** Undefined until the stream was read to its end, unless the content is known beforehand. */
  readonly content: Content | undefined;
  /** Set if the host downloads it itself. */
  readonly download?: HostDownload | undefined;
  /** Opens the stream, from the first byte each time. */
  open(signal: AbortSignal): Promise<OpenStream>;
}

/** A download that the host makes itself. */
export interface HostDownload {
  /** Its name in messages. */
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The algorithm of the checksums that the host computes. */
  readonly algorithm: "sha256" | "sha512";
  /** Called with what the host has; throws if it is not what was expected. */
  verify(found: {
    /** Checksum of the file as downloaded, hex. */
    readonly file: string;
    /** Checksum of the image in it, hex. */
    readonly image: string;
    readonly isImage: boolean;
    readonly content: Content;
  }): void;
}

/** An open stream. */
export interface OpenStream {
  /** Undefined if it is not known beforehand. */
  readonly sizeBytes?: number | undefined;
  /**
   * Each piece is valid until the next one is asked for. Throws at the end if the content is not what was
   * expected.
   */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Options of an upload. */
export interface Upload {
  readonly source: UploadSource;
  /** Aborting it ends the upload, with its reason. */
  readonly signal: AbortSignal;
  /** Called with the number of bytes each time that some more of them are on the host. */
  readonly onArrived: (bytes: number) => void;
}

/** How long the host may take to write what it received. */
const DISK_TIMEOUT_MS = 10 * 60_000;

/**
 * Streams a range into a script on the host, with memory independent of its size.
 *
 * Not by SFTP: a script that reads stdin is a tenth faster on one channel, survives a startup file that prints
 * something, and several scripts can write parts of one file.
 *
 * @param writer reads the range from its standard input
 */
export function uploadRange(
  host: SharedConnection,
  upload: Upload,
  range: Range,
  writer: Script,
): Promise<ExecResult> {
  return host.exec(writer, {
    purpose: "write the image",
    timeoutMs: DISK_TIMEOUT_MS,
    input: () => upload.source.read(range),
    onArrived: upload.onArrived,
    signal: upload.signal,
    isBulk: true,
  });
}

/**
 * Sends a stream of unknown size into a script on the host.
 *
 * @param writer reads them from its standard input
 */
export function uploadStream(
  host: SharedConnection,
  pieces: AsyncIterable<Uint8Array>,
  { signal, onArrived }: Omit<Upload, "source">,
  writer: Script,
): Promise<ExecResult> {
  return host.exec(writer, {
    purpose: "write the image",
    timeoutMs: DISK_TIMEOUT_MS,
    input: () => pieces,
    onArrived,
    signal,
    isBulk: true,
  });
}

/**
 * Sends the whole image by SFTP, which needs no shell if sshd serves it itself (`internal-sftp`).
 *
 * @param remotePath absolute path of a file to be made, mode 600
 * @throws {@link SshError} `COMMAND_TIMED_OUT` if the host takes nothing for {@link STALL_TIMEOUT_MS}
 */
export async function uploadBySftp(
  host: SharedConnection,
  upload: Upload,
  remotePath: string,
): Promise<void> {
  const seconds = STALL_TIMEOUT_MS / 1_000;
  const message = `${host.address} did not go on within ${seconds} s (to write the image by SFTP). Check its load and its disk.`;
  await host.sftp(async (sftp) => {
    const ended = new AbortController();
    const timer = timeLimit(() => new SshError("COMMAND_TIMED_OUT", host.address, message));
    timer.restart(STALL_TIMEOUT_MS);
    const onArrived = (bytes: number) => {
      timer.restart(STALL_TIMEOUT_MS);
      upload.onArrived(bytes);
    };
    const bytes = Readable.from(copiesOf({ ...upload, onArrived }), { objectMode: false });
    try {
      await Promise.race([
        sftp.put(bytes, remotePath, { writeStreamOptions: { mode: 0o600 } }),
        timer.expired,
        rejectWhenAborted(upload.signal, ended.signal),
      ]);
    } finally {
      ended.abort();
      timer.stop();
    }
  });
}

/** Copies, because a stream reads ahead while a piece is still in use. */
async function* copiesOf({ source, signal, onArrived }: Upload): AsyncGenerator<Uint8Array> {
  for await (const piece of source.read({ start: 0, end: source.sizeBytes })) {
    signal.throwIfAborted();
    yield Buffer.from(piece);
    onArrived(piece.length);
  }
}

/** Lower-case hex. */
export async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest("hex");
}
