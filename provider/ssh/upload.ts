import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { ExecResult } from "./exec";
import type { Script } from "./sh";
import type { SharedConnection } from "./shared-connection";

/** A part of a file: the bytes from `start` up to before `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Bytes to be sent, of a size that is known. */
export interface UploadSource {
  /** Names it in messages: the path of a local file. */
  readonly name: string;
  readonly sizeBytes: number;
  /** The bytes of a range, each piece good until the next one is asked for; may be called again, and side by side. */
  read(range: Range): AsyncIterable<Uint8Array>;
  /** Of all the bytes as they are now, lower-case hex. */
  sha256(): Promise<string>;
}

/** What an image is. */
export interface Content {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Bytes that come in order only, such as those of a download, and that are known once all have come. */
export interface StreamSource {
  /** Names it in messages: a URL. */
  readonly name: string;
  /** The same for the same content. */
  readonly identity: string;
  /** Undefined until a stream was read whole, unless the content is known beforehand. */
  readonly content: Content | undefined;
  /** Set if the host fetches it itself. */
  readonly download?: HostDownload | undefined;
  /** Begins from the first byte, each time. */
  open(signal: AbortSignal): Promise<OpenStream>;
}

/** What a host downloads itself. */
export interface HostDownload {
  /** Names it in messages. */
  readonly name: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the checksums that the host makes. */
  readonly algorithm: "sha256" | "sha512";
  /** Called with what the host has; throws if that is not what it should be. */
  verify(found: {
    /** Checksum of the file as it came, hex. */
    readonly file: string;
    /** Checksum of the image in it, hex. */
    readonly image: string;
    readonly isImage: boolean;
    readonly content: Content;
  }): void;
}

/** A stream that begins to come. */
export interface OpenStream {
  /** Undefined if it is not known beforehand. */
  readonly sizeBytes?: number | undefined;
  /** Each piece is good until the next one is asked for. Throws at the end if the content is not what it should be. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** What is sent. */
export interface Upload {
  readonly source: UploadSource;
  /** Ends the upload, with its reason, when it is aborted. */
  readonly signal: AbortSignal;
  /** Called with the bytes of each piece that was sent. */
  readonly onSent: (bytes: number) => void;
}

/** How long the host may take to write what it received. */
const DISK_TIMEOUT_MS = 10 * 60_000;

/**
 * Streams a range into a script on the host, with memory independent of its size.
 *
 * Not SFTP: a script that reads stdin is a tenth faster on one channel, survives a startup file that prints something,
 * and several of them can each write a part of one file.
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
    input: () => bytesOf(upload, range),
    signal: upload.signal,
    isBulk: true,
  });
}

/**
 * Sends bytes of unknown number into a script on the host.
 *
 * @param writer reads them from its standard input
 */
export function uploadStream(
  host: SharedConnection,
  pieces: AsyncIterable<Uint8Array>,
  { signal, onSent }: Omit<Upload, "source">,
  writer: Script,
): Promise<ExecResult> {
  return host.exec(writer, {
    purpose: "write the image",
    timeoutMs: DISK_TIMEOUT_MS,
    input: () => sending(pieces, { signal, onSent }),
    signal,
    isBulk: true,
  });
}

/**
 * The whole by SFTP, which needs no shell where sshd serves it itself (`internal-sftp`).
 *
 * @param remotePath absolute path of a file to be made, mode 600
 */
export async function uploadBySftp(
  host: SharedConnection,
  upload: Upload,
  remotePath: string,
): Promise<void> {
  const bytes = copiesOf(bytesOf(upload, { start: 0, end: upload.source.sizeBytes }));
  const options = { writeStreamOptions: { mode: 0o600 } };
  await host.sftp((sftp) => sftp.put(Readable.from(bytes, { objectMode: false }), remotePath, options));
}

/** Copies, because a stream asks for the next piece before it has used one. */
async function* copiesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

/** The bytes of a range on their way to a host. */
function bytesOf({ source, ...upload }: Upload, range: Range): AsyncGenerator<Uint8Array> {
  return sending(source.read(range), upload);
}

async function* sending(
  pieces: AsyncIterable<Uint8Array>,
  { signal, onSent }: Omit<Upload, "source">,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of pieces) {
    signal.throwIfAborted();
    yield chunk;
    onSent(chunk.length);
  }
}

/** Lower-case hex. */
export async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of bytes) hash.update(chunk);
  return hash.digest("hex");
}
