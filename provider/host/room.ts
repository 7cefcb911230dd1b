import { type Script, sh } from "../ssh/sh";
import { HostError } from "./error";

const KIB = 1024;
const MIB = 1024 * KIB;

/** A full root file system stops the toolstack, whose database lies on it; a full memory stops dom0. */
const KEPT_FREE = {
  disk: { kib: 1024 * KIB, divisor: 10 },
  memory: { kib: 512 * KIB, divisor: 4 },
} as const;

/**
 * The rule for room: `has_room <bytes>` says whether an image of that size fits beside what is to stay free, and
 * what uploads under way have still to write (`promised`, in bytes). What could not be read is not enough.
 *
 * Of a tmpfs `df` shows the limit, not the memory that is left: `memory` counts too.
 */
export const ROOM_RULE: Script = sh`has_room() {
  [ -n "$total" ] && [ -n "$available" ] || return
  keep=$((total / ${KEPT_FREE.disk.divisor})) least=${KEPT_FREE.disk.kib}
  case $type in
    tmpfs | ramfs)
      keep=$((total / ${KEPT_FREE.memory.divisor})) least=${KEPT_FREE.memory.kib}
      [ "$memory" -ge "$available" ] || available=$memory
      ;;
  esac
  [ "$keep" -ge "$least" ] || keep=$least
  echo "free=$type $available $keep $((promised / 1024))"
  [ $((available - (promised + $1) / 1024)) -ge "$keep" ]
}`;

/** Sets what {@link ROOM_RULE} asks for, of the folder it is in; sizes in KiB. */
export const MEASURE_ROOM: Script = sh`${ROOM_RULE}
type= total= available= memory=0
if [[ $(stat -f -c '%S %b %a %T' -- "$PWD") =~ ^([0-9]+)\ ([0-9]+)\ ([0-9]+)\ (.+) ]]; then
  block=\${BASH_REMATCH[1]} type=\${BASH_REMATCH[4]}
  total=$((block * BASH_REMATCH[2] / ${KIB})) available=$((block * BASH_REMATCH[3] / ${KIB}))
fi
while read -r name value _; do [ "$name" != MemAvailable: ] || memory=$value; done </proc/meminfo`;

/**
 * An image that would leave the host short of space.
 *
 * @param stdout what {@link ROOM_RULE} has printed
 */
export function noRoom(
  stdout: string,
  image: { sizeBytes: number; srMountPath: string },
  host: string,
): HostError {
  const [, type = "", available, keptFree, promised] = /^free=(.*) (\d+) (\d+) (\d+)$/m.exec(stdout) ?? [];
  const isMemory = type === "tmpfs" || type === "ramfs";
  const underWay = Number(promised) > 0 ? ` of which uploads under way take ${mib(promised)},` : "";
  return new HostError(
    "NO_ROOM",
    host,
    `${image.srMountPath} on ${host} has no room for an image of ${mib(image.sizeBytes / KIB)}: ${mib(available)} ` +
      `${isMemory ? "of memory " : ""}are available,${underWay} and ${mib(keptFree)} have to stay free. ` +
      `Free some space there, or set srMountPath to a folder ${isMemory ? "on disk" : "on a larger file system"}.`,
  );
}

/** @param kib undefined where the host did not say it */
function mib(kib: string | number | undefined): string {
  return kib === undefined ? "an unknown size" : `${Math.ceil((Number(kib) * KIB) / MIB)} MiB`;
}
