import { HostError } from "./error";

/** What a host says of the place an image is to go to. Everything in bytes. */
export interface Room {
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** As `stat -f -c %T` prints it: `ext2/ext3`, `tmpfs`, `xfs` … */
  readonly fileSystem: string;
  /** `MemAvailable` of dom0: what `df` shows of a tmpfs is its limit, not the memory that is left. */
  readonly memoryAvailableBytes: number;
  /** What uploads under way there have still to write. */
  readonly promisedBytes: number;
}

const MIB = 1024 ** 2;

/** A full root file system stops the toolstack, whose database lies on it; a full memory stops dom0. */
const KEPT_FREE = {
  disk: { bytes: 1024 * MIB, share: 0.1 },
  memory: { bytes: 512 * MIB, share: 0.25 },
} as const;

/**
 * Refuses an image that would leave the host short of space, before a byte is sent.
 *
 * @throws {@link HostError} `NO_ROOM`
 */
export function assertRoom(
  room: Room,
  image: { sizeBytes: number; srMountPath: string },
  host: string,
): void {
  const isMemory = room.fileSystem === "tmpfs" || room.fileSystem === "ramfs";
  const keep = isMemory ? KEPT_FREE.memory : KEPT_FREE.disk;
  const available = isMemory ? Math.min(room.availableBytes, room.memoryAvailableBytes) : room.availableBytes;
  const keptFree = Math.max(keep.bytes, room.totalBytes * keep.share);
  if (available - room.promisedBytes - image.sizeBytes >= keptFree) return;

  const underWay =
    room.promisedBytes > 0 ? ` of which uploads under way take ${mib(room.promisedBytes)},` : "";
  throw new HostError(
    "NO_ROOM",
    host,
    `${image.srMountPath} on ${host} has no room for an image of ${mib(image.sizeBytes)}: ${mib(available)} ` +
      `${isMemory ? "of memory " : ""}are available,${underWay} and ${mib(keptFree)} have to stay free. ` +
      `Free some space there, or set srMountPath to a folder ${isMemory ? "on disk" : "on a larger file system"}.`,
  );
}

function mib(bytes: number): string {
  return `${Math.ceil(bytes / MIB)} MiB`;
}
