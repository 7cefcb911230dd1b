import type { UploadSource } from "../ssh/upload";
import type { Folder } from "./folder";

/** The disc that is to be made. */
export interface TempIsoPlan {
  readonly folder: Folder;
  /** URN of the resource. */
  readonly owner: string;
  readonly image: {
    readonly source: UploadSource;
    /** What check found in it: lower-case hex. */
    readonly sha256: string;
  };
  /** File name on the host, which becomes the VDI's `name-label`. */
  readonly isoName: string;
  readonly srName: string;
  /** Aborted when nobody waits for the disc any more: then the create stops and undoes what it did. */
  readonly signal: AbortSignal;
  /** Asked once more before the disc counts as made; rejects when nobody takes it. */
  readonly assertWanted: () => Promise<void>;
}
