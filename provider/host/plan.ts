import type { Content, StreamSource, UploadSource } from "../ssh/upload";
import type { Folder } from "./folder";

/** Bytes that can be read anywhere, and what check found in them; or a stream. */
export type PlannedImage = KnownImage | { readonly stream: StreamSource };

/** An image whose content is known, and of which any part can be read at any time. */
export interface KnownImage {
  readonly source: UploadSource;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What an image is; undefined for a stream that was not read yet. */
export function contentOf(image: PlannedImage): Content | undefined {
  if ("stream" in image) return image.stream.content;
  return { sizeBytes: image.source.sizeBytes, sha256: image.sha256 };
}

/** What an image is that is on the host. */
export function knownContentOf(image: PlannedImage): Content {
  const content = contentOf(image);
  if (!content) throw new TypeError("The image was not read yet.");
  return content;
}

/** The disc that is to be made. */
export interface TempIsoPlan {
  readonly folder: Folder;
  /** URN of the resource. */
  readonly owner: string;
  readonly image: PlannedImage;
  /** File name on the host, which becomes the VDI's `name-label`. */
  readonly isoName: string;
  readonly srName: string;
  /** Aborted when nobody waits for the disc any more: then the create stops and undoes what it did. */
  readonly signal: AbortSignal;
  /** Asked once more before the disc counts as made; rejects when nobody takes it. */
  readonly assertWanted: () => Promise<void>;
}

/** The disc of an image that is read in any order. */
export interface KnownPlan extends TempIsoPlan {
  readonly image: KnownImage;
}
