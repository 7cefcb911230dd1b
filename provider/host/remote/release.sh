# shellcheck shell=bash
# The mark `released`: a release has begun, and the folder goes once its SR is forgotten. Nothing else would lead from
# the UUID of a forgotten SR to the folder.

# mark_released PATH SR_UUID OWNER ISO_NAME [SHARED]
# Marks the folder at PATH, if it exists. SHARED is not empty if every host of the pool has the folder.
# Status: not 0 if it cannot be written
mark_released() {
  if [ ! -d "$1" ] || [ -L "$1" ]; then return; fi
  cd -- "$1" || return
  umask 077
  printf '%s\n' "sr=$2" "owner=$3" "iso=$4" ${5:+"shared=$5"} >released
}

# find_released SR_UUID MOUNT_PATH...
# Looks in each MOUNT_PATH for the folder that was marked with this SR. Prints path=PATH and its mark.
# Needs: folder_names
find_released() {
  local wanted=$1 mount_path name names
  shift
  for mount_path in "$@"; do
    [ -d "$mount_path" ] || continue
    cd -- "$mount_path" || continue
    folder_names
    for name in "${names[@]}"; do
      [ -f "$name/released" ] || continue
      grep -qx "sr=$wanted" "$name/released" || continue
      echo "path=$mount_path/$name"
      cat -- "$name/released"
      return
    done
  done
}
