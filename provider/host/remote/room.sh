# shellcheck shell=bash
# Room for an image, without filling the host: a full root file system stops the toolstack, whose database lies
# on it; full memory stops dom0.

# has_room BYTES PROMISED_BYTES
# Whether an image of BYTES fits into the file system of the current folder, besides the bytes that running
# uploads have still to write. Prints what fits_beside prints.
# Needs: fits_beside
has_room() {
  local stats type='' total='' available='' memory=0 name value
  stats=$(exec stat -f -c '%S %b %a %T' -- "$PWD")
  if [[ $stats =~ ^([0-9]+)\ ([0-9]+)\ ([0-9]+)\ (.+) ]]; then
    type=${BASH_REMATCH[4]}
    total=$((BASH_REMATCH[1] * BASH_REMATCH[2] / 1024))
    available=$((BASH_REMATCH[1] * BASH_REMATCH[3] / 1024))
  fi
  while read -r name value _; do
    [ "$name" != MemAvailable: ] || memory=$value
  done </proc/meminfo
  fits_beside "$type" "$total" "$available" "$memory" "$2" "$1"
}

# fits_beside TYPE TOTAL_KIB AVAILABLE_KIB MEMORY_KIB PROMISED_BYTES BYTES
# The rule: a tenth of a disk stays free, at least 1 GiB; of memory a quarter, at least 512 MiB. `df` shows the
# limit of a tmpfs, not the memory left, so MEMORY_KIB counts too. Sizes that could not be read are too small.
# Prints free=TYPE AVAILABLE_KIB KEPT_FREE_KIB PROMISED_KIB.
fits_beside() {
  local type=$1 total=$2 available=$3 memory=$4 promised=$5 bytes=$6 keep least
  [ -n "$total" ] && [ -n "$available" ] || return
  keep=$((total / 10)) least=$((1024 * 1024))
  case $type in
    tmpfs | ramfs)
      keep=$((total / 4)) least=$((512 * 1024))
      [ "$memory" -ge "$available" ] || available=$memory
      ;;
  esac
  [ "$keep" -ge "$least" ] || keep=$least
  echo "free=$type $available $keep $((promised / 1024))"
  [ $((available - (promised + bytes) / 1024)) -ge "$keep" ]
}
