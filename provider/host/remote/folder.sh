# shellcheck shell=bash
# The folder of a disc, MOUNT_PATH/NAME, and the lock on MOUNT_PATH.

# lock_mount_path MOUNT_PATH SECONDS
# Goes to MOUNT_PATH and holds its lock until the script ends, or closes file descriptor 9. Under this lock
# folders are made and removed, and markers are read.
lock_mount_path() {
  cd -P -- "$1" && exec 9<. && flock -w "$2" 9
}

# refuse_link MOUNT_PATH
# Fails with the reason if MOUNT_PATH itself is a link: somebody may have put it there since. A link above it is
# fine: /var/run is one.
refuse_link() {
  [ ! -L "$1" ] || {
    echo "$1 is a link to $(readlink -f -- "$1")." >&2
    return 1
  }
}

# folder_names MOUNT_PATH
# Sets names to the folders in MOUNT_PATH, the current folder, that have a UUID for their name. Skips links and mounts:
# a read of a dead NFS mount hangs. Spawns no process.
folder_names() {
  local name mounts
  read -r -d '' mounts </proc/self/mounts
  names=()
  for name in ????????-????-????-????-????????????; do
    [[ $name =~ ^[0-9a-f-]{36}$ ]] || continue
    case $mounts in *"/$name "*) continue ;; esac
    if [ -d "$name" ] && [ ! -L "$name" ]; then names+=("$name"); fi
  done
}

# look_at_folder PATH ISO_NAME
# Prints folder=there if the folder exists, released= if a release of its disc has begun, and image=BYTES if its
# image exists.
# Status: not 0 if it cannot be read
look_at_folder() {
  local bytes
  [ -d "$1" ] && [ ! -L "$1" ] || return 0
  echo folder=there
  [ ! -f "$1/released" ] || echo released=
  [ -f "$1/$2" ] || return 0
  if bytes=$(exec stat -c %s -- "$1/$2"); then echo "image=$bytes"; else [ ! -e "$1/$2" ]; fi
}

# take_over MOUNT_PATH NAME
# Ends the scripts that still run in the folder after the link was lost, and prints stage=STAGE, how far they got:
# nothing: there is no folder. folder: it may hold a part of the image. image: the image is complete.
# sr: sr-create may have been sent.
# Status: not 0 if the lock or the folder is not available
# Needs: lock_mount_path stop_writers
take_over() {
  if [ ! -d "$1" ] || [ -L "$1" ]; then
    echo stage=nothing
    return
  fi
  lock_mount_path "$1" 30 || return
  if [ ! -d "$1/$2" ] || [ -L "$1/$2" ]; then
    echo stage=nothing
    return
  fi
  cd -- "$1/$2" || return
  stop_writers
  if [ ! -f image ]; then
    echo stage=folder
  elif [ "$(exec sed -n 4p image)" = sr ]; then
    echo stage=sr
  else
    echo stage=image
  fi
}

# remove_folder MOUNT_PATH NAME ISO_NAME
# Removes the files of a disc by name, then the folder. Succeeds if it is gone. Waits for the lock: the create that is
# undone here may still run after its link was lost.
# Status: NOT_REMOVED with the reason on standard error: the folder or MOUNT_PATH is a link, or the folder holds
# something else
# Needs: lock_for_removal remove_locked
remove_folder() {
  [ -d "$1" ] || return 0
  lock_for_removal "$1" "$1/$2" || return
  remove_locked "$1/$2" "$3"
}

# clear_folder MOUNT_PATH NAME ISO_NAME OWNER
# Removes a folder as remove_folder does, unless another run of OWNER is working in it.
# Prints and fails as find_obstacles does if one is; otherwise as remove_folder.
# Needs: lock_for_removal find_obstacles remove_locked
clear_folder() {
  # shellcheck disable=SC2034 # find_obstacles sets it
  local promised
  [ -d "$1" ] || return 0
  lock_for_removal "$1" "$1/$2" || return
  find_obstacles "$4" "$2"
  [ $? -ne "$OWNER_BUSY" ] || return "$OWNER_BUSY"
  remove_locked "$1/$2" "$3"
}

# lock_for_removal MOUNT_PATH PATH
# Status: NOT_REMOVED with the reason on standard error
# Needs: lock_mount_path refuse_link
lock_for_removal() {
  [ ! -e "$2" ] || refuse_link "$1" || return "$NOT_REMOVED"
  lock_mount_path "$1" 15 || {
    echo 'Another run keeps it locked.' >&2
    return "$NOT_REMOVED"
  }
}

# remove_locked PATH ISO_NAME
# The removal of remove_folder, under the lock.
# Status: NOT_REMOVED with the reason on standard error
# Needs: stop_writers
remove_locked() {
  local path=$1
  [ ! -L "$path" ] || {
    echo 'It is a link.' >&2
    return "$NOT_REMOVED"
  }
  [ -d "$path" ] && cd -- "$path" || return 0
  stop_writers
  rm -f -- "$2" upload writers pending image released || return "$NOT_REMOVED"
  rmdir -- "$path" || {
    ls -A >&2
    return "$NOT_REMOVED"
  }
}
