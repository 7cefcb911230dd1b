import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Algorithm } from "../source/checksum";
import { recallImage, rememberImage } from "./image-memory";
import { type InspectedFile, inspectFile } from "./inspect-file";

/** A file as it is now. */
interface Snapshot {
  /** Absolute. */
  readonly path: string;
  /** Path, device, inode, size, and both times in nanoseconds. Changes with the content. */
  readonly fingerprint: string;
  /** Changed so recently that another change may not change the fingerprint. */
  readonly isYoung: boolean;
}

/** The grain of a file system's times: 2 s on FAT. */
const YOUNG_MS = 2_000;

/** Results by fingerprint, of files that are being read or have not changed since. */
const inspections = new Map<string, Promise<InspectedFile>>();

/**
 * Returns what {@link inspectFile} finds, without reading a file again that has not changed since this process,
 * or an earlier one of the same user, read it. The engine checks each resource at preview and again at the up,
 * one after another, and a hundred of them may have large images.
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
