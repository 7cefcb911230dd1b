# shellcheck shell=bash
# shellcheck disable=SC2034 # the other files use them
# Exit statuses of the functions, besides the shell's own. `../protocol.ts` has the same ones.
NOT_XENSERVER=3 FOLDER_FAILED=4 NOT_REMOVED=5 OWNER_BUSY=6 ABANDONED=7
NO_ROOM=8 NOT_WHOLE=9 XE_FAILED=10 IMAGE_FAILED=11 MARKER_STAYS=12 OTHER_HOST=13 DOWNLOAD_FAILED=14
