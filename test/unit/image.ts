import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SECTOR_BYTES = 2048;

/**
 * The least that counts as an ISO 9660 image: 16 empty sectors, a primary volume descriptor, and whatever is
 * told apart by `content`.
 */
export function imageBytes(content = "", identifier = "CD001"): Buffer {
  const image = Buffer.alloc(20 * SECTOR_BYTES);
  image.write(`\x01${identifier}\x01`, 16 * SECTOR_BYTES, "latin1");
  image.write(content, 19 * SECTOR_BYTES);
  return image;
}

/** A new file of its own in a temporary folder. */
export function writeTemporary(bytes: Uint8Array, name = "image.iso"): string {
  const path = join(mkdtempSync(join(tmpdir(), "xen-iso-")), name);
  writeFileSync(path, bytes);
  return path;
}
