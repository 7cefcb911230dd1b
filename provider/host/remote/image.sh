# shellcheck shell=bash
# The bytes of an image. `upload` holds them until they are whole. The record `image` then says so, a line each:
# SHA-256, size, name, and `sr` once the making of its SR has begun. Names but *.iso and *.img escape a scan.

# receive_image ISO_NAME BYTES SHA256
# Takes a small image from standard input into the current folder and brings it to the disk. Written under its
# final name; the record marks it complete. Prints ready before it reads.
# Status: IMAGE_FAILED, NOT_WHOLE if fewer bytes came: a start-up file of the shell has read them
# Needs: record_image
receive_image() {
  local received
  echo ready
  received=$(exec dd of="$1" bs="$2" count=1 iflag=fullblock conv=fsync 2>&1) || {
    # What went wrong, without the counts that follow it.
    printf '%s\n' "${received%%$'\n'[0-9]*}" >&2
    return "$IMAGE_FAILED"
  }
  [[ $received == *$'\n'"$2 bytes"* ]] || return "$NOT_WHOLE"
  record_image "$@"
}

# write_range PATH SEEK BLOCK_BYTES
# Writes standard input into PATH/upload from block SEEK on. dd counts the bytes on standard error.
# Needs: note_writer
write_range() {
  umask 077
  cd -- "$1" || return "$FOLDER_FAILED"
  note_writer
  dd of=upload bs="$3" seek="$2" iflag=fullblock conv=notrunc
}

# hash_blocks PATH BLOCK_BYTES
# Prints the SHA-256 of each block of PATH/upload, in order, as sha256sum does: what need not be sent again.
hash_blocks() {
  cd -- "$1" || return "$FOLDER_FAILED"
  [ ! -f upload ] || nice -n 19 split -b "$2" --filter=sha256sum upload
}

# hash_file PATH
# Reads a file at low priority, and prints sha256=HEX.
hash_file() {
  local line
  line=$(exec nice -n 19 sha256sum <"$1") && echo "sha256=${line%% *}"
}

# link_twin TWIN_PATH IDENTITY
# Makes `upload` in the current folder a hard link to the twin, if that is still the same file.
# Status: NOT_WHOLE
link_twin() {
  [ -f image ] || {
    ln -- "$1" upload && [ "$(exec stat -c '%i %s %y' -- upload)" = "$2" ]
  } || {
    rm -f upload
    return "$NOT_WHOLE"
  }
}

# sync_upload
# Brings `upload` in the current folder to the disk. dd syncs this one file: a bare sync flushes every mounted SR, and
# hangs on a dead NFS.
# Status: IMAGE_FAILED
sync_upload() {
  [ -f image ] || dd of=upload conv=notrunc,fsync status=none </dev/null || return "$IMAGE_FAILED"
}

# place_image PATH ISO_NAME BYTES SHA256 TWIN_PATH TWIN_IDENTITY
# Names the image that PATH holds as `upload`, or, if TWIN_PATH is not empty, a link to the twin.
# Status: IMAGE_FAILED, NOT_WHOLE
# Needs: note_writer link_twin sync_upload name_image
place_image() {
  umask 077
  cd -- "$1" || return "$IMAGE_FAILED"
  note_writer
  if [ -n "$5" ]; then link_twin "$5" "$6"; else sync_upload; fi || return
  name_image "$2" "$3" "$4"
}

# name_image ISO_NAME BYTES SHA256
# Gives `upload` in the current folder its name, once it is whole. A failure before that leaves no file that could be
# taken for the image. Prints image=INODE BYTES CHANGED.
# Status: IMAGE_FAILED, NOT_WHOLE
# Needs: record_image
name_image() {
  local identity
  if [ -f image ]; then
    identity=$(exec stat -c '%i %s %y' -- "$1")
  else
    identity=$(exec stat -c '%i %s %y' -- upload)
    [[ $identity == *" $2 "* ]] || return "$NOT_WHOLE"
    mv -T -- upload "$1" || return "$IMAGE_FAILED"
    record_image "$@" || return
  fi
  echo "image=$identity"
}

# record_image ISO_NAME BYTES SHA256
# Marks the image complete. By this record its twins find it.
# Status: IMAGE_FAILED
record_image() {
  printf '%s\n' "$3" "$2" "$1" >image || return "$IMAGE_FAILED"
}

# begin_sr
# Records that sr-create may be carried out from now on: it is never sent twice.
# Status: IMAGE_FAILED
begin_sr() {
  echo sr >>image || return "$IMAGE_FAILED"
}
