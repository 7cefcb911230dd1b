# shellcheck shell=bash
# The marker `pending`: the owner of a folder until its disc is complete, and the SSH session that works there.

# write_marker OWNER ISO_NAME BYTES
# Marks the current folder: this SSH session makes the disc of OWNER there, and has BYTES to write. The
# client's address and the time in seconds since 1970 are for people who wait for it.
# Needs: start_of
write_marker() {
  local now
  printf -v now '%(%s)T' -1
  start_of "$PPID"
  printf '%s\n' "owner=$1" "iso=$2" "size=$3" "session=$PPID" "started=$REPLY" \
    "client=${SSH_CLIENT%% *}" "since=$now" >pending
}

# read_marker FOLDER
# Sets owner, iso, size, session, started, client and since from the marker of FOLDER; missing ones are empty, size
# is 0. Spawns no process. The caller declares them local.
# shellcheck disable=SC2034 # for the caller
read_marker() {
  local line
  owner='' iso='' size='' session='' started='' client='' since=''
  while IFS= read -r line; do
    case $line in
      owner=*) owner=${line#*=} ;;
      iso=*) iso=${line#*=} ;;
      size=*) size=${line#*=} ;;
      session=*) session=${line#*=} ;;
      started=*) started=${line#*=} ;;
      client=*) client=${line#*=} ;;
      since=*) since=${line#*=} ;;
    esac
  done 2>/dev/null <"$1"/pending
  [[ $size =~ ^[0-9]+$ ]] || size=0
}

# is_held SESSION STARTED SECONDS
# Whether the session of a marker is alive and touched it SECONDS ago, within the lease.
# Needs: start_of
is_held() {
  local lease_seconds=60
  [ "$3" -lt $lease_seconds ] && [ -n "$2" ] && start_of "$1" && [ "$REPLY" = "$2" ]
}

# renew_markers FOLDER...
# Touches the markers of these folders. Replaces a session that is gone by this one. Creates no file, so a marker that
# was just removed stays away. Overwrites it in place, so that it is never empty.
# Needs: start_of
renew_markers() {
  local folder marker start
  start_of "$PPID"
  start=$REPLY
  for folder in "$@"; do
    (
      cd -- "$folder" 2>/dev/null && [ -f pending ] || exit
      exec 9<.. && flock -w 15 9 || exit
      if grep -qx "session=$PPID" pending; then
        touch -c pending
      else
        marker=$(sed "s/^session=.*/session=$PPID/; s/^started=.*/started=$start/" pending) &&
          dd of=pending conv=nocreat,notrunc status=none <<<"$marker"
      fi
    )
  done
  return 0
}

# remove_marker FOLDER
# The disc in FOLDER is complete. With its marker, the next create of the same resource would clear it.
# Status: MARKER_STAYS
remove_marker() {
  cd -- "$1" && rm -f -- pending writers || return "$MARKER_STAYS"
}
