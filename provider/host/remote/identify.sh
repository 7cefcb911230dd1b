# shellcheck shell=bash
# The identity of this host.

# identify
# Prints host-uuid=UUID, the INSTALLATION_UUID of this host, and sets REPLY to it.
# Status: NOT_XENSERVER
identify() {
  command -v xe >/dev/null && [ -r /etc/xensource-inventory ] || return "$NOT_XENSERVER"
  REPLY=$(exec sed -n "s/^INSTALLATION_UUID='\(.*\)'/\1/p" /etc/xensource-inventory)
  [ -n "$REPLY" ] || return "$NOT_XENSERVER"
  echo "host-uuid=$REPLY"
}

# assert_host UUID
# Prints host-uuid=UUID. Succeeds only on the host that has this INSTALLATION_UUID.
# Status: NOT_XENSERVER, OTHER_HOST
# Needs: identify
assert_host() {
  identify || return
  [ "$REPLY" = "$1" ] || return "$OTHER_HOST"
}
