import { sizeText } from "../text/units";
import { HostError } from "./error";
import { parseLines } from "./protocol";

const KIB = 1024;

/**
 * The error for an image that would leave the host short of space.
 *
 * @param stdout what `has_room` in `remote/room.sh` printed
 */
export function noRoom(
  stdout: string,
  image: { sizeBytes: number; srMountPath: string },
  host: string,
): HostError {
  const { type, availableBytes, keptFreeBytes, promisedBytes } = parseRoom(stdout);
  const isMemory = type === "tmpfs" || type === "ramfs";
  const size = (bytes: number | undefined) => (bytes === undefined ? "an unknown size" : sizeText(bytes));
  const promised = promisedBytes ? ` of which uploads under way take ${size(promisedBytes)},` : "";
  return new HostError(
    "NO_ROOM",
    host,
    `${image.srMountPath} on ${host} has no room for an image of ${size(image.sizeBytes)}: ${size(availableBytes)} ` +
      `${isMemory ? "of memory " : ""}are available,${promised} and ${size(keptFreeBytes)} have to stay free. ` +
      `Free some space there, or set srMountPath to a folder ${isMemory ? "on disk" : "on a larger file system"}.`,
  );
}

/** What `has_room` printed: the type of the file system, as `stat -f -c %T` prints it, and sizes in bytes. */
export function parseRoom(stdout: string): {
  readonly type: string;
  readonly availableBytes?: number;
  readonly keptFreeBytes?: number;
  readonly promisedBytes?: number;
} {
  // A stream is measured repeatedly; the last measurement counts.
  const free = parseLines(stdout).filter(({ key }) => key === "free");
  const [, type = "", ...sizes] = /^(.*) (\d+) (\d+) (\d+)$/.exec(free.at(-1)?.value ?? "") ?? [];
  const [availableBytes, keptFreeBytes, promisedBytes] = sizes.map((kib) => Number(kib) * KIB);
  if (availableBytes === undefined || keptFreeBytes === undefined || promisedBytes === undefined)
    return { type };
  return { type, availableBytes, keptFreeBytes, promisedBytes };
}
