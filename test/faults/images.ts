import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageBytes } from "../unit/image";

/** Local images, each a path. */
export interface Images {
  readonly small: string;
  /** More than a link and a host hold of it on the way: an upload that stops is noticed. */
  readonly large: string;
}

const LARGE_BYTES = 24 * 1024 ** 2;

/** Writes them into a folder that is gone when this process ends. */
export function makeImages(): Images {
  const folder = mkdtempSync(join(tmpdir(), "fault-images-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const images = { small: join(folder, "small.iso"), large: join(folder, "large.iso") };
  for (const path of Object.values(images)) writeFileSync(path, imageBytes("#cloud-config"));
  truncateSync(images.large, LARGE_BYTES);
  return images;
}
