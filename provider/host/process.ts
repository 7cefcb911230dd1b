import { type Script, sh } from "../ssh/sh";

/**
 * `start_of <process id>` sets `start`: when the process was started, in ticks since the host was, which no change
 * of its clock moves; empty when there is no such process. A number alone may be another's meanwhile. It reads what
 * `ps` would, which takes a process of its own and reads of all (proc(5): /proc/pid/stat, field 22; the second one
 * is a name, which may hold anything).
 */
export const START_OF: Script = sh`start_of() {
  local stat=
  { read -r -d '' stat </proc/"$1"/stat; } 2>/dev/null
  set -- \${stat##*) }
  start=\${20}
}`;
