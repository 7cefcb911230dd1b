# shellcheck shell=bash
# A delete in one round trip.

# delete_unused_disc HOST_UUID SR_UUID PBD_UUID VDI_UUID MOUNT_PATH NAME ISO_NAME
# Deletes everything, if this is the right host and the disc is in no drive.
# Status: not 0 if something else is needed; completed steps stay
# Needs: assert_host forget_unused_sr remove_folder
delete_unused_disc() {
  assert_host "$1" || return
  forget_unused_sr "$2" "$3" "$4" || return
  remove_folder "$5" "$6" "$7"
}
