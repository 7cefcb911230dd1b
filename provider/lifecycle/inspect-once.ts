import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Algorithm } from "../source/checksum";
import { recallImage, rememberImage } from "./image-memory";
import { type InspectedFile, inspectFile } from "./inspect-file";

/** A file as it is now. */
interface Snapshot {
  /** Absolute. */
  readonly path: string;
  /** Path, device, inode, size, and both times in nanoseconds: another one for another content. */
  readonly fingerprint: string;
  /** Changed so short a time ago that another change may leave the fingerprint as it is. */
  readonly isYoung: boolean;
}

/** The grain of a file system's times: 2 s on FAT. */
const YOUNG_MS = 2_000;

/** What is being read, and what was read as it still is, by fingerprint. */
const inspections = new Map<string, Promise<InspectedFile>>();

/**
 * What {@link inspectFile} finds, without reading a file that is as it was when this process, or an earlier one
 * of the same user, has read it. The engine checks each resource at preview and again at the up, one after
 * another, and a hundred of them may have large images.
 *
 * @param algorithm of the checksums that are found
 * @throws what {@link inspectFile} throws; that is not remembered
 */
export async function inspectOnce(isoPath: string, algorithm: Algorithm = "sha256"): Promise<InspectedFile> {
  const snapshot = await snapshotOf(resolve(isoPath), algorithm);
  const { fingerprint } = snapshot;
  const known = inspections.get(fingerprint);
  if (known) return known;
  const inspection = recallOrInspect(snapshot, algorithm);
  inspections.set(fingerprint, inspection);
  inspection.catch(() => inspections.delete(fingerprint));
  return inspection;
}

async function recallOrInspect(snapshot: Snapshot, algorithm: Algorithm): Promise<InspectedFile> {
  const { path, fingerprint, isYoung } = snapshot;
  const recalled = isYoung ? undefined : await recallImage(fingerprint);
  if (recalled) return recalled;
  const image = await inspectFile(path, algorithm);
  const isUnchanged = !isYoung && (await snapshotOf(path, algorithm)).fingerprint === fingerprint;
  if (isUnchanged) await rememberImage(fingerprint, image);
  else inspections.delete(fingerprint);
  return image;
}

async function snapshotOf(path: string, algorithm: Algorithm): Promise<Snapshot> {
  const { dev, ino, size, mtimeNs, ctimeNs, mtimeMs, ctimeMs } = await stat(path, { bigint: true });
  const changedMs = Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs);
  return {
    path,
    fingerprint: [
      path,
      dev,
      ino,
      size,
      mtimeNs,
      ctimeNs,
      ...(algorithm === "sha256" ? [] : [algorithm]),
    ].join("\0"),
    isYoung: Date.now() - changedMs <= YOUNG_MS,
  };
}
