import type { ExecResult } from "../ssh/exec";
import { lines, type Script, sh } from "../ssh/sh";
import {
  type IsoSr,
  minimal,
  pbdList,
  pbdPlug,
  pbdUnplug,
  srCreate,
  srForget,
  srScan,
  vbdList,
  vdiList,
} from "./commands";
import { parseXeError, patternOf, REFUSED_FOR_NOW, XeError } from "./error";

/** What xapi has made of a folder, each a UUID. */
export interface FoundIsoSr {
  readonly srUuid: string;
  readonly pbdUuid: string;
  readonly vdiUuid: string;
}

/** The exit status of {@link makeIsoSr} and {@link findDisc} where `xe` failed. */
const XE_FAILED = 10;

/** How long a toolstack that starts is asked again, and how long PBD and VDI may take to come, in seconds. */
const BUDGET_SECONDS = 60;

/**
 * `ask <command> <pattern> …` runs `xe` and leaves what it prints in `answer`. What fails with a word that the
 * pattern knows is asked again, after pauses that grow; any other failure is printed, and ends the script.
 */
const ASK: Script = sh`ask() {
  local command=$1 passing=$2 until=$((SECONDS + ${BUDGET_SECONDS})) pause=0
  shift 2
  until answer=$(exec "$@" 2>&1); do
    [ $SECONDS -lt $until ] && is_passing "$passing" || fail "$command"
    rest
  done
}
is_passing() {
  case $answer in
    ${patternOf(REFUSED_FOR_NOW)}) return 0 ;;
    ${patternOf(["REPLY_LOST"])}) [ "$1" = repeatable ] ;;
    *) return 1 ;;
  esac
}
fail() {
  echo "failed=$1"
  printf '%s\n' "$answer" >&2
  exit ${XE_FAILED}
}
rest() {
  sleep "$pause.$((250 + RANDOM % 500))"
  pause=$((pause < 5 ? pause * 2 + 1 : 5))
}
is_uuid() { [[ $1 =~ ^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$ ]]; }`;

/**
 * Makes a folder an ISO SR, once, and finds what xapi made of it: four calls of `xe` where all goes well.
 *
 * @param isoName file name of the image, which is the VDI's `name-label`
 */
export function makeIsoSr(sr: IsoSr, isoName: string): Script {
  return lines(
    ASK,
    sh`echo step=sr
ask sr-create once ${srCreate(sr).script}
[[ $answer =~ [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} ]] || fail sr-create
sr=$BASH_REMATCH`,
    FIND(isoName),
  );
}

/** Finds what xapi made of a folder that became an SR. */
export function findDisc(srUuid: string, isoName: string): Script {
  return lines(ASK, sh`sr=${srUuid}`, FIND(isoName));
}

/**
 * The SR's one PBD, plugged, and its one VDI of that name. A scan makes the VDI's record now; the coordinator
 * would by itself every 30 s, so a VDI that our own scan did not yield comes late. The two are looked for side by
 * side.
 */
function FIND(isoName: string): Script {
  const sr = sh`"$sr"`;
  const plugged = minimal(pbdList({ "sr-uuid": sr, "currently-attached": "true" }));
  return sh`until=$((SECONDS + ${BUDGET_SECONDS})) pause=0 attempt=1 asked=
while :; do
  if ! answer=$(exec ${srScan(sr).script} 2>&1); then
    case $answer in ${patternOf(["SR_NO_PBDS"])}) ;; *) is_passing repeatable || fail sr-scan ;; esac
  fi
  exec 8< <(exec ${plugged.script} 2>&1)
  vdi=$(exec ${minimal(vdiList({ "sr-uuid": sr, "name-label": isoName })).script} 2>&1) || { answer=$vdi; is_passing repeatable || fail vdi-list; }
  IFS= read -r -d '' -u 8 pbd
  pbd=\${pbd%$'\n'}
  exec 8<&-
  # Of a process that is read from, the status is not known: what is no list of UUIDs is an error's text.
  case $pbd in *[!0-9a-f,-]*) answer=$pbd; is_passing repeatable || fail pbd-list ;; esac
  if is_uuid "$pbd" && is_uuid "$vdi"; then break; fi
  if [ -z "$pbd" ] && [ -z "$asked" ]; then
    # sr-create does not say that the plug failed; asking once more yields the real error.
    asked=1
    ask pbd-list repeatable ${minimal(pbdList({ "sr-uuid": sr })).script}
    if is_uuid "$answer"; then ask pbd-plug repeatable ${pbdPlug(sh`"$answer"`).script}; continue; fi
  fi
  [ $SECONDS -lt $until ] || { echo "missing=PBD $pbd, VDI $vdi"; exit ${XE_FAILED}; }
  rest
  attempt=$((attempt + 1))
  echo "attempt=$attempt"
done
printf '%s\n' "sr=$sr" "pbd=$pbd" "vdi=$vdi"`;
}

/** Takes an SR away whose disc is in no drive: three calls of `xe`. Ends the script where anything is otherwise. */
export function forgetUnused({ srUuid, pbdUuid, vdiUuid }: FoundIsoSr): Script {
  return sh`drives=$(${minimal(vbdList({ "vdi-uuid": vdiUuid })).script}) && [ -z "$drives" ] || exit
${pbdUnplug(pbdUuid).script} && ${srForget(srUuid).script} || exit`;
}

/**
 * Reads what {@link makeIsoSr} or {@link findDisc} has said.
 *
 * @returns undefined when PBD or VDI did not come in time
 * @throws {@link XeError} the command that failed
 */
export function readFoundIsoSr({ stdout, stderr }: ExecResult, host: string): FoundIsoSr | undefined {
  const valueOf = (name: string) => new RegExp(`^${name}=(.*)$`, "m").exec(stdout)?.[1];
  const [srUuid, pbdUuid, vdiUuid] = ["sr", "pbd", "vdi"].map(valueOf);
  if (srUuid && pbdUuid && vdiUuid) return { srUuid, pbdUuid, vdiUuid };
  const command = valueOf("failed");
  if (command === undefined) return undefined;
  const { code, params } = parseXeError(stderr);
  throw new XeError(code, params, command, host, stderr.trim());
}
