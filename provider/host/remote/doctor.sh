# shellcheck shell=bash
# What the command line's `doctor` reads. Changes nothing.

# host_facts
# Prints xe=there if there is an xe; INSTALLATION_UUID=…, PRODUCT_BRAND=…, PRODUCT_VERSION=… of the inventory;
# xe-server=set if ~/.xe, which may hold a password, names a server.
host_facts() {
  local key
  ! command -v xe >/dev/null || echo xe=there
  for key in INSTALLATION_UUID PRODUCT_BRAND PRODUCT_VERSION; do
    sed -n "s/^$key='\(.*\)'/$key=\1/p" /etc/xensource-inventory 2>/dev/null
  done
  ! grep -q '^server=' "$HOME"/.xe 2>/dev/null || echo xe-server=set
}

# look_at_mount_path MOUNT_PATH
# Measures the nearest folder that exists. Prints obstacle=… if no folder can be made there, what has_room prints, and
# shortage=there if there is no room for even the smallest image.
# Needs: has_room
look_at_mount_path() {
  local path=$1
  while [ ! -e "$path" ] && [ -n "$path" ]; do path=$(dirname -- "$path"); done
  [ -d "$path" ] || echo 'obstacle=is not a folder'
  [ -w "$path" ] || echo 'obstacle=cannot be written'
  [ -d "$path" ] || path=$(dirname -- "$path")
  cd -P -- "$path" || return
  has_room 1 0 || echo shortage=there
}
