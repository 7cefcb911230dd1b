# shellcheck shell=bash
# An image that arrives as a stream. Its size may be unknown: a small archive can hold a huge image.

# write_stream PATH SEEK BYTES BLOCK_BYTES STEP_BLOCKS
# Writes standard input into PATH/upload from block SEEK on. Checks the room for BYTES first,
# and again after every STEP_BLOCKS blocks. Prints what has_room prints, and received=BYTES.
# Status: FOLDER_FAILED, NO_ROOM, IMAGE_FAILED
# Needs: note_writer has_room_beside receive_stream
write_stream() {
  umask 077
  cd -- "$1" || return "$FOLDER_FAILED"
  note_writer
  has_room_beside "$3" || return "$NO_ROOM"
  receive_stream "$2" "$4" "$5"
}

# receive_stream SEEK BLOCK_BYTES STEP_BLOCKS
# Writes standard input into `upload` in the current folder from block SEEK on. Checks the room after
# every STEP_BLOCKS blocks. Prints written=BYTES after each step, and received=BYTES at the end.
# Status: NO_ROOM, IMAGE_FAILED
# Needs: has_room_beside
receive_stream() {
  local seek=$1 block_bytes=$2 step_blocks=$3 received=0 words
  while :; do
    words=$(exec dd of=upload bs="$block_bytes" count="$step_blocks" seek="$seek" iflag=fullblock conv=notrunc 2>&1) || {
      printf '%s\n' "${words%%$'\n'[0-9]*}" >&2
      return "$IMAGE_FAILED"
    }
    [[ $words =~ $'\n'([0-9]+)\ bytes ]] || return "$IMAGE_FAILED"
    received=$((received + BASH_REMATCH[1]))
    [ "${BASH_REMATCH[1]}" -eq $((block_bytes * step_blocks)) ] || break
    seek=$((seek + step_blocks))
    echo "written=$received"
    has_room_beside 0 || return "$NO_ROOM"
  done
  echo "received=$received"
}

# has_room_beside BYTES
# Whether BYTES more fit into the file system of the current folder, besides the bytes that running uploads in its
# sibling folders have still to write. Prints what has_room prints.
# Needs: folder_names find_obstacles has_room
has_room_beside() {
  local names promised
  (
    cd .. || exit
    folder_names
    # No resource has an empty name, so no upload counts as another create of it.
    find_obstacles '' "${names[@]}" >/dev/null
    has_room "$1" "$promised"
  )
}
