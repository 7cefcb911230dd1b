# shellcheck shell=bash
# The SR of a folder.

# make_sr WORD...
# Runs sr-create, given as its words, once. Prints step=sr. Sets REPLY to the UUID of the SR.
# A failure of xe ends the script: see fail.
# Needs: ask fail
make_sr() {
  echo step=sr
  ask sr-create once "$@"
  [[ $REPLY =~ [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} ]] || fail sr-create "$REPLY"
  REPLY=${BASH_REMATCH[0]}
}

# find_disc SR_UUID ISO_NAME
# Finds the SR's one plugged PBD and its one VDI of that name, for a minute. Prints sr=UUID, pbd=UUID and vdi=UUID;
# attempt=N before each further look; missing=… if they did not come.
# A scan makes the record of the VDI now; the coordinator would every 30 s. PBD and VDI are looked for side by side.
# Status: XE_FAILED; a failure of xe ends the script: see fail
# Needs: is_passing is_uuid plug_again rest fail
find_disc() {
  # shellcheck disable=SC2034 # rest reads and sets pause
  local sr=$1 iso_name=$2 until=$((SECONDS + 60)) pause=0 attempt=1 is_plugged_again='' pbd vdi
  while :; do
    REPLY=$(exec xe sr-scan uuid="$sr" 2>&1) || case $REPLY in
      *'The SR has no attached PBDs'*) ;;
      *) is_passing repeatable "$REPLY" || fail sr-scan "$REPLY" ;;
    esac
    exec 8< <(exec xe pbd-list sr-uuid="$sr" currently-attached=true params=uuid --minimal 2>&1)
    vdi=$(exec xe vdi-list sr-uuid="$sr" name-label="$iso_name" params=uuid --minimal 2>&1) ||
      is_passing repeatable "$vdi" || fail vdi-list "$vdi"
    IFS= read -r -d '' -u 8 pbd
    exec 8<&-
    pbd=${pbd%$'\n'}
    # The exit status of a process substitution is unknown: anything but a list of UUIDs is an error text.
    case $pbd in *[!0-9a-f,-]*) is_passing repeatable "$pbd" || fail pbd-list "$pbd" ;; esac
    if is_uuid "$pbd" && is_uuid "$vdi"; then break; fi
    if [ -z "$pbd" ] && [ -z "$is_plugged_again" ]; then
      is_plugged_again=1
      if plug_again "$sr"; then continue; fi
    fi
    [ $SECONDS -lt $until ] || {
      echo "missing=PBD $pbd, VDI $vdi"
      return "$XE_FAILED"
    }
    rest
    attempt=$((attempt + 1))
    echo "attempt=$attempt"
  done
  printf '%s\n' "sr=$sr" "pbd=$pbd" "vdi=$vdi"
}

# plug_again SR_UUID
# Plugs the one PBD of the SR. sr-create does not say that its plug failed; this yields the real error.
# Status: not 0 if there is not one PBD; a failure of xe ends the script: see fail
# Needs: ask is_uuid
plug_again() {
  ask pbd-list repeatable xe pbd-list sr-uuid="$1" params=uuid --minimal
  is_uuid "$REPLY" && ask pbd-plug repeatable xe pbd-plug uuid="$REPLY"
}

# forget_unused_sr SR_UUID PBD_UUID VDI_UUID
# Forgets an SR whose disc is in no drive: three xe calls.
# Status: not 0 if something else is needed; completed steps stay
forget_unused_sr() {
  local drives
  drives=$(exec xe vbd-list vdi-uuid="$3" params=uuid --minimal) && [ -z "$drives" ] || return
  xe pbd-unplug uuid="$2" && xe sr-forget uuid="$1"
}
