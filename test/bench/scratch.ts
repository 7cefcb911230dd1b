import { mkdtempSync, readFileSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GIB } from "./images";

/** Memory as a file system, where Linux has it. */
const MEMORY_FOLDER = "/dev/shm";

/** For everybody else. */
const KEPT_BYTES = 4 * GIB;

/** Where everything of a run lies; gone when this process ends. */
export interface Scratch {
  readonly folder: string;
  /** What kind of place it is. */
  readonly description: string;
}

/**
 * Makes the folder: in memory where there is room, so that no disk's speed hides that of the network. From then on
 * it is the folder for temporary files of this process and what it starts: the simulated hosts lie there too.
 */
export function makeScratch(neededBytes: number): Scratch {
  const isInMemory = hasRoomInMemory(neededBytes);
  const folder = mkdtempSync(join(isInMemory ? MEMORY_FOLDER : tmpdir(), "xen-iso-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  process.env["TMPDIR"] = folder;
  return { folder, description: isInMemory ? "in memory (tmpfs)" : "on disk" };
}

function hasRoomInMemory(neededBytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
    const [, kib] = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8")) ?? [];
    return bavail * bsize >= neededBytes && Number(kib) * 1024 >= neededBytes + KEPT_BYTES;
  } catch {
    return false;
  }
}
