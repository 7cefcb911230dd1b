# shellcheck shell=bash
# Creates in one round trip. The words of sr-create come last, without host-uuid: only the host
# knows its own, and in a pool xapi does not guess which host has the folder.

# identify_and_prepare MOUNT_PATH NAME OWNER ISO_NAME BYTES SHA256
# Begins a create whose image is uploaded later.
# Needs: identify prepare_folder
identify_and_prepare() {
  identify && prepare_folder "$@"
}

# make_small_disc MOUNT_PATH NAME OWNER ISO_NAME BYTES SHA256 SR_CREATE_WORD...
# Makes a disc, with the image on standard input. Prints and fails as the functions it calls do.
# Needs: identify prepare_folder receive_image begin_sr make_sr find_disc hand_over
make_small_disc() {
  local path=$1/$2 iso_name=$4 host_uuid
  identify || return
  host_uuid=$REPLY
  prepare_folder "$1" "$2" "$3" "$iso_name" "$5" || return
  receive_image "$iso_name" "$5" "$6" || return
  shift 6
  begin_sr || return
  make_sr "$@" host-uuid="$host_uuid"
  find_disc "$REPLY" "$iso_name" && hand_over "$path"
}

# make_linked_disc MOUNT_PATH NAME OWNER ISO_NAME BYTES SHA256 TWIN_PATH TWIN_IDENTITY SR_CREATE_WORD...
# Makes a disc, with the image linked to a twin, which needs no room.
# Needs: identify prepare_folder link_twin name_image begin_sr make_sr find_disc hand_over
make_linked_disc() {
  local path=$1/$2 iso_name=$4 host_uuid
  identify || return
  host_uuid=$REPLY
  prepare_folder "$1" "$2" "$3" "$iso_name" 0 || return
  link_twin "$7" "$8" || return
  name_image "$iso_name" "$5" "$6" || return
  shift 8
  begin_sr || return
  make_sr "$@" host-uuid="$host_uuid"
  find_disc "$REPLY" "$iso_name" && hand_over "$path"
}

# make_disc MOUNT_PATH NAME ISO_NAME BYTES SHA256 TWIN_PATH TWIN_IDENTITY SR_CREATE_WORD...
# Completes a disc, in a folder that holds the image as `upload`, or gets a link to the twin if TWIN_PATH is not empty.
# Status: as the functions it calls
# Needs: identify place_image begin_sr make_sr find_disc hand_over
make_disc() {
  local path=$1/$2 iso_name=$3 host_uuid
  identify || return
  host_uuid=$REPLY
  place_image "$path" "$iso_name" "$4" "$5" "$6" "$7" || return
  shift 7
  begin_sr || return
  make_sr "$@" host-uuid="$host_uuid"
  find_disc "$REPLY" "$iso_name" && hand_over "$path"
}

# make_shared_sr PATH SR_CREATE_WORD...
# Makes the SR of a disc whose image every host of the pool has at PATH, this one too. Prints sr=UUID.
# Status: IMAGE_FAILED; a failure of xe ends the script: see fail
# Needs: note_writer begin_sr make_sr
make_shared_sr() {
  cd -- "$1" || return "$IMAGE_FAILED"
  note_writer
  shift
  begin_sr || return
  make_sr "$@"
  echo "sr=$REPLY"
}

# find_made_disc MOUNT_PATH NAME ISO_NAME SR_UUID
# Completes a disc whose SR was made before the link was lost.
# Status: as the functions it calls
# Needs: identify find_disc hand_over
find_made_disc() {
  identify || return
  find_disc "$4" "$3" && hand_over "$1/$2"
}

# hand_over PATH
# Asks on standard output whether anybody still waits for the disc. If so, removes its marker and prints marker=removed.
# A killed client sends only end of file; the next create clears folders with a marker.
# Status: MARKER_STAYS
# Needs: remove_marker
hand_over() {
  local answer
  echo 'wanted?'
  read -r answer && [ "$answer" = wanted ] || return 0
  remove_marker "$1" || return
  echo marker=removed
}
