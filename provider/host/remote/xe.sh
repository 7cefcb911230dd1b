# shellcheck shell=bash
# xe calls that may have to be repeated.

# ask COMMAND once|repeatable WORD...
# Runs xe and sets REPLY to what it printed. Repeats it with backoff, for a minute, while the toolstack is busy or
# starting; also after a lost reply if it is repeatable. Any other failure ends the script: see fail.
# Needs: is_passing rest fail
ask() {
  local command=$1 repeat=$2 until=$((SECONDS + 60)) pause=0
  shift 2
  until REPLY=$(exec "$@" 2>&1); do
    if [ $SECONDS -ge $until ] || ! is_passing "$repeat" "$REPLY"; then fail "$command" "$REPLY"; fi
    rest
  done
}

# is_passing once|repeatable WORDS
# Whether an xe failure with these words may be temporary. `../../xe/error.ts` knows the same sentences.
is_passing() {
  case $2 in
    *'Connection refused'* | *'The host toolstack is still initialising'*) return 0 ;;
    *'Another operation involving the object is currently in progress'*) return 0 ;;
    *'Lost connection to the server'* | *'Unable to contact server'*) [ "$1" = repeatable ] ;;
    *'Failed to contact a running management agent'* | *'Connection reset by peer'*) [ "$1" = repeatable ] ;;
    *'Cannot forward messages because the'*) [ "$1" = repeatable ] ;;
    *) return 1 ;;
  esac
}

# rest
# Sleeps pause seconds, with jitter, and makes pause longer. The caller declares it local.
rest() {
  sleep "$pause.$((250 + RANDOM % 500))"
  pause=$((pause < 3 ? pause * 2 + 1 : 5))
}

# fail COMMAND WORDS
# Ends the script because xe failed: prints failed=COMMAND, and its words on standard error.
# Status: XE_FAILED
fail() {
  echo "failed=$1"
  printf '%s\n' "$2" >&2
  exit "$XE_FAILED"
}

# is_uuid TEXT
is_uuid() {
  [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]
}
