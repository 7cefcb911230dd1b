# shellcheck shell=bash
# Makes the folder of a disc.

# prepare_folder MOUNT_PATH NAME OWNER ISO_NAME BYTES [SHA256]
# Makes MOUNT_PATH/NAME (mode 700: an image can hold secrets) with its marker, and changes to it. Holds the lock
# on MOUNT_PATH, so that concurrent creates see each other's markers.
# Prints what find_obstacles, find_twin and has_room print; room=short if there is room only for a link to the twin.
# Status: FOLDER_FAILED, OWNER_BUSY, ABANDONED, NO_ROOM
# Needs: refuse_link lock_mount_path folder_names find_obstacles find_twin has_room write_marker note_writer
prepare_folder() {
  local mount_path=$1 name=$2 owner=$3 iso_name=$4 bytes=$5 sha256=$6 needed=$5 names promised
  refuse_link "$mount_path" || return "$FOLDER_FAILED"
  [ -d "$mount_path" ] || mkdir -p -- "$mount_path"
  lock_mount_path "$mount_path" 30 || return "$FOLDER_FAILED"

  folder_names
  find_obstacles "$owner" "${names[@]}" || return
  if [ -n "$sha256" ] && find_twin "$sha256" "$bytes" "${names[@]}"; then needed=0; fi
  has_room "$bytes" "$promised" || {
    echo room=short
    [ "$needed" = 0 ] || return "$NO_ROOM"
  }

  umask 077
  mkdir -- "$name" && cd -- "$name" || return "$FOLDER_FAILED"
  write_marker "$owner" "$iso_name" "$needed" || return "$FOLDER_FAILED"
  exec 9<&-
  note_writer
}

# find_obstacles OWNER NAME...
# OWNER is a URN, and behind a tab the organization if it is known; a marker without one may be of any.
# Reads the markers in these subfolders of the current one. Sets promised to the bytes that running uploads have still
# to write. If another create of OWNER is running, prints live=NAME, client=ADDRESS and since=SECONDS; for each folder
# of OWNER that a killed create left, abandoned=NAME/ISO_NAME. Spawns one process for all folders.
# Status: OWNER_BUSY, ABANDONED
# Needs: read_marker is_held
find_obstacles() {
  local wanted=$1 urn=${1%%$'\t'*} name stats now touched sent is_own live='' is_abandoned=''
  local owner iso size session started client since
  local -a marked=() files=()
  promised=0
  shift
  for name in "$@"; do
    [ -f "$name/pending" ] || continue
    marked+=("$name")
    files+=("$name/pending" "$name/upload")
  done
  [ ${#marked[@]} -gt 0 ] || return 0
  stats=$'\n'$(exec stat -c '%n %Y %s' -- "${files[@]}" 2>/dev/null)
  now=$(exec date +%s)
  for name in "${marked[@]}"; do
    read_marker "$name"
    [[ $stats =~ $'\n'$name/pending\ ([0-9]+) ]] || continue
    touched=${BASH_REMATCH[1]}
    case $owner in
      "$wanted" | "$urn") is_own=1 ;;
      *) is_own='' ;;
    esac
    sent=0
    if [[ $stats =~ $'\n'$name/upload\ [0-9]+\ ([0-9]+) ]]; then sent=${BASH_REMATCH[1]}; fi
    if is_held "$session" "$started" $((now - touched)); then
      [ -z "$is_own" ] || live="live=$name"$'\n'"client=$client"$'\n'"since=$since"
      [ "$size" -le "$sent" ] || promised=$((promised + size - sent))
    elif [ -n "$is_own" ]; then
      echo "abandoned=$name/$iso"
      is_abandoned=1
    fi
  done
  [ -z "$live" ] || {
    echo "$live"
    return "$OWNER_BUSY"
  }
  [ -z "$is_abandoned" ] || return "$ABANDONED"
}

# find_twin SHA256 BYTES NAME...
# Searches these subfolders of the current one for a complete image with this content, by its record.
# Prints twin=NAME/ISO_NAME and identity=INODE BYTES CHANGED.
# Status: not 0 if there is none
find_twin() {
  local wanted=$1 bytes=$2 name sha256 size iso twin='' identity
  shift 2
  for name in "$@"; do
    [ -f "$name/image" ] || continue
    { read -r sha256 && read -r size && IFS= read -r iso; } <"$name/image"
    if [ "$sha256 $size" = "$wanted $bytes" ] && [ -f "$name/$iso" ] && [ ! -L "$name/$iso" ]; then
      twin=$name/$iso
    fi
  done
  [ -n "$twin" ] && identity=$(exec stat -c '%i %s %y' -- "$twin") || return
  printf '%s\n' "twin=$twin" "identity=$identity"
}
