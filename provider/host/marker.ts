import { lines, type Script, sh } from "../ssh/sh";
import { FILE } from "./folder";
import { START_OF } from "./process";

/** How long after its last touch a pending marker still stands for somebody who works, in seconds. */
const LEASE_SECONDS = 60;

/**
 * `read_marker <folder>` sets what the marker there says: `owner`, `iso`, `size`, `session`, `started`, each empty
 * where it says nothing, the size 0. Of this marker, `is_held <seconds since it was touched>` says whether
 * somebody works there: the SSH session that made it lives, and has touched it lately. None of it takes a process.
 */
export const READ_MARKER: Script = lines(
  START_OF,
  sh`read_marker() {
  local line
  owner= iso= size= session= started=
  while IFS= read -r line; do
    case $line in
      owner=*) owner=\${line#*=} ;;
      iso=*) iso=\${line#*=} ;;
      size=*) size=\${line#*=} ;;
      session=*) session=\${line#*=} ;;
      started=*) started=\${line#*=} ;;
    esac
  done 2>/dev/null <"$1"/${FILE.pending}
  [[ $size =~ ^[0-9]+$ ]] || size=0
}
is_held() {
  [ "$1" -lt ${LEASE_SECONDS} ] && [ -n "$started" ] && start_of "$session" && [ "$start" = "$started" ]
}`,
);
