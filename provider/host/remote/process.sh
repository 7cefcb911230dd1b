# shellcheck shell=bash
# Processes, and the scripts that work in a folder.

# start_of PID
# Sets REPLY to the start of a process in clock ticks since boot, or to nothing if there is no such process.
# A PID alone may have been reused. Reads what `ps` would, without a process of its own (proc(5): /proc/pid/stat,
# field 22; field 2 is a name that may hold anything).
start_of() {
  local stat=
  { read -r -d '' stat </proc/"$1"/stat; } 2>/dev/null
  # shellcheck disable=SC2086 # split into its fields
  set -- ${stat##*) }
  REPLY=${20}
}

# note_writer
# Records this script in the current folder, so that stop_writers can end it once its client is gone.
# Needs: start_of
note_writer() {
  start_of $$
  echo "$$ $REPLY" >>writers
}

# stop_writers
# Ends the other scripts that work in the current folder. After a lost link they would go on, and keep the file
# and its space.
# Needs: start_of
stop_writers() {
  local pid started
  [ -f writers ] || return 0
  while read -r pid started; do
    [ -n "$started" ] && [ "$pid" != $$ ] && start_of "$pid" && [ "$REPLY" = "$started" ] && kill -9 -- "-$pid"
  done <writers 2>/dev/null
  return 0
}
