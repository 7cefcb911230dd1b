import { checkIsoFiles, IsoBuildError, type IsoContents, pathsOf, volumeLabelProblem } from "./check";
import { placeHierarchy, Space, writeHierarchy } from "./hierarchy";
import { JOLIET_ESCAPE_SEQUENCES, jolietNaming, rockRidgeNaming, toJoliet } from "./naming";
import { type Extent, SECTOR_BYTES, sectorsOf, setTerminator, volumeDescriptor } from "./records";
import { type ByteRange, type Source, sourceOf } from "./source";
import { type FileNode, filesBelow, type FolderNode, type IsoNode, treeOf } from "./tree";

/**
 * How an image is laid out. The same files make other bytes in another format.
 *
 * - 1: written by 0.1.0; ends with the last file.
 * - 2: ends with 150 empty sectors, as `mkisofs -pad` writes them. Some readers (Talos) do not recognise an image
 *   under 64 KiB, and Linux reads ahead over the end of the last file.
 */
export type ImageFormat = 1 | 2;

export const NEWEST_IMAGE_FORMAT = 2 satisfies ImageFormat;

export interface BuildIsoOptions {
  /**
   * At most 32 characters, of which Joliet shows the first 16. Default `cidata`, the label that cloud-init's
   * NoCloud looks for.
   */
  readonly volumeLabel?: string | undefined;
  /** Default: the newest. Set it to keep the bytes of an image that an older release built. */
  readonly imageFormat?: ImageFormat | undefined;
}

/** An image's bytes, which can be read repeatedly. Memory holds its folders and one chunk at a time. */
export interface IsoImage extends AsyncIterable<Uint8Array> {
  /** A multiple of 2048. */
  readonly sizeBytes: number;
  /**
   * Reads the bytes from `start` up to but excluding `end` without building those before. Can be called
   * concurrently.
   */
  readonly read: (range: ByteRange) => AsyncIterable<Uint8Array>;
}

const DEFAULT_VOLUME_LABEL = "cidata";

/**
 * Makes an ISO 9660 image (interchange level 2) with Rock Ridge and Joliet: names of up to 64 UTF-16 units, 8
 * levels of folders. The same files and label make the same bytes on every machine. Local files are measured
 * at once and read when the image is.
 *
 * @param files a local `path` is relative to the process's folder
 * @throws {@link IsoBuildError} `ISO_FILES_REFUSED` with every problem, or for a local file that
 *   is no plain file or has 4 GiB or more; `ISO_FILE_UNREADABLE`; from the iteration also `ISO_FILE_CHANGED`
 *   when a local file has another size than before
 * @see ECMA-119 (ISO 9660), SUSP 1.12 and RRIP 1.12 (Rock Ridge), the Joliet specification
 */
export function buildIso(files: IsoContents, options: BuildIsoOptions = {}): IsoImage {
  const { volumeLabel = DEFAULT_VOLUME_LABEL, imageFormat = NEWEST_IMAGE_FORMAT } = options;
  const labelProblem = volumeLabelProblem(volumeLabel);
  const problems = [...(labelProblem ? [{ path: "", reason: labelProblem }] : []), ...checkIsoFiles(files)];
  if (problems.length > 0) throw new IsoBuildError("ISO_FILES_REFUSED", problems);

  const root = treeOf(sourcesOf(files));
  const { head, sizeBytes } = layOut(root, volumeLabel, PADDING_SECTORS[imageFormat]);
  const read = (range: ByteRange) => bytesOf(head, root, range);
  return { sizeBytes, read, [Symbol.asyncIterator]: () => read({ start: 0, end: sizeBytes }) };
}

/** @throws {@link IsoBuildError} with all local files that cannot be read */
function sourcesOf(files: IsoContents): [path: string, source: Source][] {
  const errors: IsoBuildError[] = [];
  const sources = pathsOf(files).flatMap((path): [string, Source][] => {
    try {
      return [[path, sourceOf(path, files[path] ?? "")]];
    } catch (error) {
      if (!(error instanceof IsoBuildError)) throw error;
      errors.push(error);
      return [];
    }
  });
  const [first] = errors;
  if (!first) return sources;
  const problems = errors.flatMap((error) => error.problems);
  throw new IsoBuildError(first.code, problems, { cause: first.cause });
}

async function* bytesOf(
  head: Buffer,
  root: FolderNode,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array, void> {
  if (start < head.length) yield head.subarray(start, end);
  let position = head.length;
  for (const { source } of filesBelow(root)) {
    const fileEnd = position + source.sizeBytes;
    const nextPosition = position + sectorsOf(source.sizeBytes) * SECTOR_BYTES;
    if (position <= end && start <= nextPosition) {
      const within = (at: number) => Math.min(Math.max(at, position), fileEnd) - position;
      const part = { start: within(start), end: within(end) };
      if (part.start < part.end || source.sizeBytes === 0) yield* source.read(part);
      const padding = Math.min(end, nextPosition) - Math.max(start, fileEnd);
      if (padding > 0) yield Buffer.alloc(padding);
    }
    position = nextPosition;
  }
  if (position < end) yield Buffer.alloc(end - Math.max(start, position));
}

/** The first sectors are reserved for the system (ECMA-119 §6.2.1); three descriptors follow. */
const SYSTEM_AREA_SECTORS = 16;
const FIRST_FREE_SECTOR = SYSTEM_AREA_SECTORS + 3;

/** After the last file; part of the volume. */
const PADDING_SECTORS: Readonly<Record<ImageFormat, number>> = { 1: 0, 2: 150 };

function layOut(
  root: FolderNode,
  volumeLabel: string,
  paddingSectors: number,
): { head: Buffer; sizeBytes: number } {
  const space = new Space(FIRST_FREE_SECTOR);
  // A draft with the continuation at any place, which changes no length. It goes after the folders that refer
  // to it, because libarchive only reads forwards.
  const draft = rockRidgeNaming(root, 0);
  const primary = placeHierarchy(root, draft.naming, space);
  const rockRidge = rockRidgeNaming(root, space.take(draft.continuation.length).sector);
  const joliet = placeHierarchy(root, jolietNaming, space);
  const files = placeFiles(root, joliet.littlePathTable.sector, space);
  const sectors = space.nextSector + paddingSectors;

  const head = Buffer.concat([
    Buffer.alloc(SYSTEM_AREA_SECTORS * SECTOR_BYTES),
    volumeDescriptor({
      type: 1,
      volumeLabel: Buffer.from(volumeLabel),
      blank: Buffer.from(" "),
      escapeSequences: "",
      sectors,
      ...primary,
    }),
    volumeDescriptor({
      type: 2,
      // Two bytes per character.
      volumeLabel: toJoliet(volumeLabel.slice(0, 16)),
      blank: toJoliet(" "),
      escapeSequences: JOLIET_ESCAPE_SEQUENCES,
      sectors,
      ...joliet,
    }),
    setTerminator(),
    ...writeHierarchy(primary, rockRidge.naming, files),
    rockRidge.continuation,
    ...writeHierarchy(joliet, jolietNaming, files),
  ]);
  return { head, sizeBytes: sectors * SECTOR_BYTES };
}

/** @param anySector for empty files: readers drop a file at sector 0, and take one at a folder's sector for a loop */
function placeFiles(root: FolderNode, anySector: number, space: Space): Map<IsoNode, Extent> {
  const extentOf = ({ source: { sizeBytes } }: FileNode) =>
    sizeBytes === 0 ? { sector: anySector, sizeBytes } : space.take(sizeBytes);
  return new Map(Array.from(filesBelow(root), (file) => [file, extentOf(file)]));
}
