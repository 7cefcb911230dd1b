import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seedImage } from "../seed-image";

/** A local image. */
export interface Image {
  readonly path: string;
  readonly sizeBytes: number;
}

/** The images of a run; the folder that holds them is gone when this process ends. */
export interface Images {
  readonly folder: string;
  readonly small: Image;
  /** Does not compress. */
  readonly large: Image;
}

const LARGE_BYTES = 64 * 1024 ** 2;

/** Writes them into a temporary folder. */
export async function makeImages(): Promise<Images> {
  const folder = mkdtempSync(join(tmpdir(), "xen-iso-accept-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const seed = await seedImage();
  const write = (name: string, bytes: Buffer): Image => {
    writeFileSync(join(folder, name), bytes);
    return { path: join(folder, name), sizeBytes: bytes.length };
  };
  const filling = randomBytes(LARGE_BYTES - seed.length);
  return {
    folder,
    small: write("small.iso", seed),
    large: write("large.iso", Buffer.concat([seed, filling])),
  };
}
