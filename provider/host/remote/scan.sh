# shellcheck shell=bash
# Lists what is on a host.

# scan_folders MOUNT_PATH
# Reads every folder in MOUNT_PATH that has a UUID for its name; changes nothing. Holds the lock, so that no folder
# is seen without its marker. Prints a paragraph for each:
#   folder=NAME mode=OCTAL age=SECONDS
#   owner=URN iso=NAME, if it has a marker, and under-way= if a create is running there
#   released=URN, if a release of its disc has begun
#   file=BYTES AGE_SECONDS NAME for each plain file, other= for anything else
# Status: FOLDER_FAILED if the lock cannot be had
# Needs: lock_mount_path folder_names scan_folder
scan_folders() {
  local names name now
  [ -d "$1" ] || return 0
  lock_mount_path "$1" 30 || return "$FOLDER_FAILED"
  now=$(exec date +%s)
  folder_names
  for name in "${names[@]}"; do
    (scan_folder "$name" "$now") 2>/dev/null
  done
}

# scan_folder NAME NOW
# One paragraph of scan_folders. Leaves the script in the folder, so it runs in a subshell.
# Needs: read_marker is_held
scan_folder() {
  # shellcheck disable=SC2034 # read_marker sets them
  local name=$1 now=$2 file touched owner iso size session started client since
  cd -- "$name" || return
  # shellcheck disable=SC2046 # split into its two numbers
  set -- $(exec stat -c '%a %Y' .)
  [ $# -eq 2 ] || return
  printf '%s\n' "folder=$name" "mode=$1" "age=$((now - $2))"
  if touched=$(exec stat -c %Y pending 2>/dev/null); then
    read_marker .
    printf '%s\n' "owner=$owner" "iso=$iso"
    ! is_held "$session" "$started" $((now - touched)) || echo under-way=
  fi
  [ ! -f released ] || sed -n 's/^owner=/released=/p' released
  for file in * .[!.]*; do
    [ -e "$file" ] || [ -L "$file" ] || continue
    if [ ! -f "$file" ] || [ -L "$file" ] || [[ $file == *[![:print:]]* ]]; then
      echo other=
      continue
    fi
    # shellcheck disable=SC2046 # split into its two numbers
    set -- $(exec stat -c '%s %Y' -- "$file")
    [ $# -ne 2 ] || echo "file=$1 $((now - $2)) $file"
  done
  echo
}
