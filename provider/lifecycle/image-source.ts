import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { buildIso } from "../iso/build";
import { sha256Of, type UploadSource } from "../ssh/upload";
import type { TempIsoInputs } from "./inputs";
import { inspectOnce } from "./inspect-once";

/** Reads of 1 MiB: smaller ones cost a third of the speed. */
const READ_BYTES = 1024 * 1024;

/**
 * What a disc is made of, as it is now: a local image, or one that is built while it is read.
 *
 * @throws `IsoBuildError`, or what the file system says of a local image
 */
export async function imageSource(inputs: TempIsoInputs): Promise<UploadSource> {
  const { isoPath, files, volumeLabel } = inputs;
  if (isoPath !== undefined) return localImage(isoPath);
  const image = buildIso(files ?? {}, { volumeLabel });
  return {
    name: "the content of `files`",
    sizeBytes: image.sizeBytes,
    read: (range) => image.read(range),
    sha256: () => sha256Of(image),
  };
}

/**
 * A local file as it is now.
 *
 * @throws what the file system says when it is not there
 */
export async function localImage(isoPath: string): Promise<UploadSource> {
  const { size } = await stat(isoPath);
  return {
    name: isoPath,
    sizeBytes: size,
    // The last byte of a stream's range is included.
    read: ({ start, end }) =>
      start === end
        ? Readable.from([])
        : createReadStream(isoPath, { highWaterMark: READ_BYTES, start, end: end - 1 }),
    sha256: async () => (await inspectOnce(isoPath)).sha256,
  };
}
