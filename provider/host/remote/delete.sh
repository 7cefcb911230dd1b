# shellcheck shell=bash
# A delete, as far as it is one round trip.

# delete_unused_disc HOST_UUID SR_UUID PBD_UUID VDI_UUID MOUNT_PATH NAME ISO_NAME
# All of it, if this is the host and the disc is in no drive.
# Status: not 0 if it is not that simple; what was done stays done
# Needs: assert_host forget_unused_sr remove_folder
delete_unused_disc() {
  assert_host "$1" || return
  forget_unused_sr "$2" "$3" "$4" || return
  remove_folder "$5" "$6" "$7"
}
