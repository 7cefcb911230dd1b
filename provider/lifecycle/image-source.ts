import { open, stat } from "node:fs/promises";
import { buildIso, type BuildIsoOptions } from "../iso/build";
import type { IsoContents } from "../iso/check";
import type { KnownImage, PlannedImage } from "../host/plan";
import { SourceError } from "../source/error";
import type { ReadImage } from "../source/image";
import { type Content, type Range, sha256Of, type StreamSource, type UploadSource } from "../ssh/upload";
import { abandoned } from "./engine-watch";
import type { TempIsoInputs } from "./inputs";
import { imageInFile } from "./inspect-file";
import { inspectOnce } from "./inspect-once";
import { readAhead } from "./read-ahead";
import { downloadFiles, identityOfDisc } from "./url-files";
import { urlImage } from "./url-image";

/**
 * The content of a disc as it is now: a local image, one from a URL, or one that is built while it is read. Downloads the
 * files from URLs of a built one.
 *
 * @throws `IsoBuildError`, `SourceError`, or what the file system says of a local image
 */
export async function imageOf(inputs: TempIsoInputs): Promise<PlannedImage> {
  const { isoPath, isoUrl, isoSha256 = "" } = inputs;
  if (isoUrl !== undefined) return { stream: urlImage({ ...inputs, isoUrl }) };
  if (isoPath === undefined) return builtImage(inputs);
  const inspected = await inspectOnce(isoPath);
  if (inspected.compression) return { stream: compressedImage(isoPath, { ...inspected, sha256: isoSha256 }) };
  return { source: await localImage(isoPath), sha256: isoSha256 };
}

async function builtImage(inputs: TempIsoInputs): Promise<KnownImage> {
  const { volumeLabel, imageFormat = 1, isoSha256, isoIdentity } = inputs;
  const options = { volumeLabel, imageFormat };
  const image = buildIso(
    isoIdentity === undefined ? localFiles(inputs) : await allFiles(inputs, options),
    options,
  );
  const source: UploadSource = {
    name: "the content of `files`",
    sizeBytes: image.sizeBytes,
    read: (range) => image.read(range),
    sha256: () => sha256Of(image),
  };
  return { source, sha256: isoSha256 ?? (await source.sha256()) };
}

const localFiles = ({ files = {} }: TempIsoInputs) => files as IsoContents;

/** With the content of those from URLs, which has to be what check found. */
async function allFiles(
  { files = {}, isoIdentity }: TempIsoInputs,
  options: BuildIsoOptions,
): Promise<IsoContents> {
  const { contents, identities } = await downloadFiles(files, abandoned());
  if ((await identityOfDisc(files, identities, options)) === isoIdentity) return contents;
  const message = "A file of `files` changed while the program ran. Run the command again.";
  throw new SourceError("CONTENT_CHANGED", message);
}

/** A compressed local file, with what check found in it. */
function compressedImage(isoPath: string, content: Content): StreamSource {
  const onRead = ({ sha256 }: ReadImage) => {
    if (sha256 === content.sha256) return;
    const message = `${isoPath} changed while the program ran. Run the command again once nothing writes to it.`;
    throw new SourceError("CONTENT_CHANGED", message);
  };
  return {
    name: isoPath,
    identity: content.sha256,
    content,
    open: () => Promise.resolve({ sizeBytes: content.sizeBytes, pieces: imageInFile(isoPath, { onRead }) }),
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
    read: (range) => readRange(isoPath, range),
    sha256: async () => (await inspectOnce(isoPath)).sha256,
  };
}

async function* readRange(path: string, range: Range): AsyncGenerator<Buffer, void> {
  const file = await open(path);
  try {
    yield* readAhead(file, range);
  } finally {
    await file.close();
  }
}
