import type { Content, StreamSource, UploadSource } from "../ssh/upload";
import type { Folder } from "./folder";

/** An image that can be read at any position, with what check found in it; or a stream. */
export type PlannedImage = KnownImage | { readonly stream: StreamSource };

/** An image with known content that can be read at any position, at any time. */
export interface KnownImage {
  readonly source: UploadSource;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** What is known of an image; undefined for a stream that was not read yet. */
export function contentOf(image: PlannedImage): Content | undefined {
  if ("stream" in image) return image.stream.content;
  return { sizeBytes: image.source.sizeBytes, sha256: image.sha256 };
}

/** What is known of an image on the host. */
export function knownContentOf(image: PlannedImage): Content {
  const content = contentOf(image);
  if (!content) throw new TypeError("The image was not read yet.");
  return content;
}

/** The disc to be made. */
export interface TempIsoPlan {
  readonly folder: Folder;
  /** URN of the resource. */
  readonly owner: string;
  /** Of the stack, if it is known: a create that was killed is judged by it too. */
  readonly organization?: string | undefined;
  readonly image: PlannedImage;
  /** File name on the host, and the VDI's `name-label`. */
  readonly isoName: string;
  readonly srName: string;
  /** Aborted when nobody waits for the disc any more: the create stops, and undoes its steps. */
  readonly signal: AbortSignal;
  /** Called before the disc counts as made; rejects if nobody waits for the result any more. */
  readonly assertWanted: () => Promise<void>;
}

/** The plan for an image that can be read at any position. */
export interface KnownPlan extends TempIsoPlan {
  readonly image: KnownImage;
}
