import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, open, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KnownImage } from "../host/plan";
import { report } from "../host/progress";
import { SourceError } from "../source/error";
import type { Content, Range, StreamSource } from "../ssh/upload";
import { waiting } from "../ssh/wait";
import { abandoned } from "./engine-watch";
import { imageOf } from "./image-source";
import type { TempIsoInputs } from "./inputs";
import { readAhead } from "./read-ahead";

/**
 * Works with the content of a disc, read at any position: several hosts read it at once, and again after a lost
 * connection. A stream is read once, into a temporary file.
 *
 * @throws as {@link imageOf}; `SourceError` `NOT_KEPT`
 */
export async function withKnownImage<T>(
  inputs: TempIsoInputs,
  work: (image: KnownImage) => Promise<T>,
): Promise<T> {
  const image = await imageOf(inputs);
  return "stream" in image ? keeping(image.stream, work) : work(image);
}

async function keeping<T>(stream: StreamSource, work: (image: KnownImage) => Promise<T>): Promise<T> {
  const file = await openTemporary().catch((error: unknown) => Promise.reject(notKept(stream, error)));
  try {
    const { sizeBytes, sha256 } = await keep(stream, file);
    const source = {
      name: stream.name,
      sizeBytes,
      read: (range: Range) => readAhead(file, range),
      sha256: () => Promise.resolve(sha256),
    };
    return await work({ source, sha256 });
  } finally {
    await file.close();
  }
}

/** Opens a file that has no name any more: nothing of it stays, even if this process is killed. */
async function openTemporary(): Promise<FileHandle> {
  const path = join(tmpdir(), `pulumi-xen-iso-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  await unlink(path);
  return file;
}

async function keep(stream: StreamSource, file: FileHandle): Promise<Content> {
  const wait = { what: `an answer from ${stream.name}`, atMost: "four times 60 s of silence" };
  const { pieces, sizeBytes: totalBytes } = await waiting(wait, () => stream.open(abandoned()));
  const hash = createHash("sha256");
  let sizeBytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const piece of pieces) {
      hash.update(piece);
      sizeBytes += piece.length;
      report({ step: "downloading", receivedBytes: sizeBytes, totalBytes });
      yield piece;
    }
  }
  try {
    await writeFile(file, counted());
  } catch (error) {
    const isFull = FULL.includes((error as NodeJS.ErrnoException).code ?? "");
    throw isFull ? notKept(stream, error) : error;
  }
  return { sizeBytes, sha256: hash.digest("hex") };
}

/** Codes of a file system or a quota without room. */
const FULL = ["ENOSPC", "EDQUOT", "EFBIG"];

function notKept({ name }: StreamSource, cause: unknown): SourceError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException;
  const message =
    `${name} could not be kept in ${tmpdir()} on this machine while it is sent to the hosts (${code}). ` +
    `Make room there, or set TMPDIR to another folder.`;
  return new SourceError("NOT_KEPT", message, { cause });
}
