# shellcheck shell=bash
# The bytes of an image. They are in `upload` until it is complete. Then the record `image` says so, a line each:
# SHA-256, size, name, and `sr` once sr-create may have been sent. A scan takes only *.iso and *.img.

# receive_image ISO_NAME BYTES SHA256
# Writes a small image from standard input into the current folder, and flushes it to disk. It has its final name at
# once; the record marks it complete. Prints ready before it reads.
# Status: IMAGE_FAILED, NOT_WHOLE if fewer bytes came: a startup file of the shell has read them
# Needs: record_image
receive_image() {
  local received
  echo ready
  received=$(exec dd of="$1" bs="$2" count=1 iflag=fullblock conv=fsync 2>&1) || {
    # The error, without the counts that follow it.
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
# Prints the SHA-256 of each block of PATH/upload, in order, as sha256sum does. Those blocks need not be sent again.
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
# Hard-links `upload` in the current folder to the twin, if the twin is still the same file.
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
# Flushes `upload` in the current folder to disk. dd syncs this one file: a bare sync flushes every mounted SR, and
# hangs on a dead NFS.
# Status: IMAGE_FAILED
sync_upload() {
  [ -f image ] || dd of=upload conv=notrunc,fsync status=none </dev/null || return "$IMAGE_FAILED"
}

# place_image PATH ISO_NAME BYTES SHA256 TWIN_PATH TWIN_IDENTITY
# Gives `upload` in PATH its final name; if TWIN_PATH is not empty, links it to the twin first.
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
# Renames `upload` in the current folder to its final name if it is complete. A failure leaves no file that looks like
# the image. Prints image=INODE BYTES CHANGED.
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
# Writes the record that marks the image complete. Later creates find a twin by it.
# Status: IMAGE_FAILED
record_image() {
  printf '%s\n' "$3" "$2" "$1" >image || return "$IMAGE_FAILED"
}

# begin_sr
# Records that sr-create may be sent from now on, so that it is never sent twice.
# Status: IMAGE_FAILED
begin_sr() {
  echo sr >>image || return "$IMAGE_FAILED"
}
