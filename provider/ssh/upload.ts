import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { ExecResult } from "./exec";
import type { Script } from "./sh";
import type { SharedConnection } from "./shared-connection";

/** Bytes to be sent, of a size that is known. */
export interface UploadSource {
  /** Names it in messages: the path of a local file. */
  readonly name: string;
  readonly sizeBytes: number;
  /** The bytes from `start` up to before `end`; may be called again, and side by side. */
  read(range: { readonly start: number; readonly end: number }): AsyncIterable<Uint8Array>;
}

/** What is sent. */
export interface Upload {
  readonly source: UploadSource;
  /** Ends the upload, with its reason, when it is aborted. */
  readonly signal: AbortSignal;
}

/** The beginning of a file, or all of it. */
export interface FilePart {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** The host has another beginning of the file than this machine: what is there cannot be completed. */
export class OtherBeginningError extends Error {
  override readonly name = "OtherBeginningError";
}

/** How long the host may take to bring what it got to its disk. */
const SYNC_TIMEOUT_MS = 10 * 60_000;

/**
 * Streams a local file into a script on the host, with memory independent of its size.
 *
 * A script that reads its standard input, not SFTP: it is a tenth faster on one channel, it is not broken by
 * a start-up file that prints something, and it syncs and measures the file in the same round trip.
 *
 * @param writer reads from its standard input what follows `begun`
 * @param begun what the host has already of the file
 * @returns the whole file as it was sent, and how the writer ended
 * @throws {@link OtherBeginningError}
 */
export async function uploadFile(
  host: SharedConnection,
  upload: Upload,
  writer: Script,
  begun?: FilePart,
): Promise<{ sent: FilePart; result: ExecResult }> {
  const image = readHashed(upload, begun);
  const options = { purpose: "write the image", timeoutMs: SYNC_TIMEOUT_MS, input: image.bytes() };
  const result = await host.exec(writer, options);
  return { sent: image.read(), result };
}

/**
 * The same by SFTP, which needs no shell where sshd serves it itself (`internal-sftp`).
 *
 * @param remotePath absolute path of a file to be made, mode 600
 */
export async function uploadFileBySftp(
  host: SharedConnection,
  upload: Upload,
  remotePath: string,
): Promise<FilePart> {
  const image = readHashed(upload);
  const options = { writeStreamOptions: { mode: 0o600 } };
  await host.sftp((sftp) =>
    sftp.put(Readable.from(image.bytes(), { objectMode: false }), remotePath, options),
  );
  return image.read();
}

/** A file's bytes behind its beginning; counted and hashed is all of it. */
function readHashed(
  { source, signal }: Upload,
  begun?: FilePart,
): { bytes: () => AsyncGenerator<Uint8Array>; read: () => FilePart } {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  async function* read(range: { start: number; end: number }): AsyncGenerator<Uint8Array> {
    for await (const chunk of source.read(range)) {
      signal.throwIfAborted();
      hash.update(chunk);
      sizeBytes += chunk.length;
      yield chunk;
    }
  }
  return {
    async *bytes() {
      if (begun && begun.sizeBytes > 0) {
        const beginning = read({ start: 0, end: begun.sizeBytes });
        while ((await beginning.next()).done !== true) continue;
        if (hash.copy().digest("hex") !== begun.sha256)
          throw new OtherBeginningError(`The first ${begun.sizeBytes} bytes differ.`);
      }
      yield* read({ start: sizeBytes, end: source.sizeBytes });
    },
    read: () => ({ sizeBytes, sha256: hash.digest("hex") }),
  };
}
