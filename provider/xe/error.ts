/**
 * What `xe` reported, with xapi's own error code.
 *
 * @see xapi-project/xen-api: ocaml/idl/datamodel_errors.ml
 */
export class XeError extends Error {
  override readonly name = "XeError";

  /** What is known about the call: xapi refused it, or nobody can say whether it was carried out. */
  readonly outcome: "refused" | "unknown";

  /**
   * @param code xapi's error code (`SR_HAS_PBD`), `TOOLSTACK_DOWN` or `REPLY_LOST` where xapi itself did not
   * answer, or `UNKNOWN` for words not known here
   * @param params what xapi said beside it, in its order: UUIDs, texts of the storage manager
   * @param command the `xe` command that failed: `sr-create`
   * @param host `host:port` of the host that ran it
   * @param words standard error as it was
   */
  constructor(
    readonly code: string,
    readonly params: readonly string[],
    readonly command: string,
    readonly host: string,
    readonly words: string,
  ) {
    super(
      [`xe ${command} failed on ${host} (${code}).`, adviceOf(code), `The host says: ${words}`].join(" "),
    );
    this.outcome = OUTCOME_UNKNOWN.includes(code) ? "unknown" : "refused";
  }
}

/** The error of a failed `xe`, from what it wrote to standard error. */
export function xeErrorOf({
  command,
  host,
  stderr,
}: {
  command: string;
  host: string;
  stderr: string;
}): XeError {
  const { code, params } = parseXeError(stderr);
  return new XeError(code, params, command, host, stderr.trim());
}

/** Reads what a failed `xe` wrote to standard error. */
export function parseXeError(stderr: string): { code: string; params: string[] } {
  const backEnd = /^Error code: (\S+)(?:\nError parameters: (.*))?/m.exec(stderr);
  if (backEnd?.[1])
    return { code: backEnd[1], params: (backEnd[2] ?? "").split(",").map((param) => param.trim()) };
  const code = SENTENCES.find(([, sentence]) => stderr.includes(sentence))?.[0] ?? "UNKNOWN";
  // `name: value` lines follow the sentence.
  const params = [...stderr.matchAll(/^[a-z_]+: (.*)$/gm)].map(([, value]) => value ?? "");
  return { code, params };
}

/** Whether its code is one that this package knows; xapi has many more. */
export const isExplained = ({ code }: XeError): boolean =>
  code === "UNKNOWN" || code in ADVICE || SENTENCES.some(([known]) => known === code);

const isOneOf = (codes: readonly string[]) => (error: unknown) =>
  error instanceof XeError && codes.includes(error.code);

/** The object no longer exists. */
export const isGone = isOneOf(["UUID_INVALID", "HANDLE_INVALID"]);

/** The toolstack is busy or starting, and did nothing. `host/remote/xe.sh` repeats the same codes. */
export const isRefusedForNow = isOneOf(["TOOLSTACK_DOWN", "OTHER_OPERATION_IN_PROGRESS"]);

/** A toolstack that restarted in the meantime has plugged the PBD again. */
export const isPluggedAgain = isOneOf(["SR_HAS_PBD"]);

/**
 * The link to the toolstack broke during the call, or the one between coordinator and member. The call may
 * still go on, so only idempotent calls are repeated. `host/remote/xe.sh` repeats the same codes.
 *
 * @see xapi-project/xen-api: ocaml/xapi/message_forwarding.ml
 */
const LOST = ["REPLY_LOST", "CANNOT_CONTACT_HOST"];

export const isReplyLost = isOneOf(LOST);

/** Codes that do not say whether the call was carried out. */
const OUTCOME_UNKNOWN = [...LOST, "INTERNAL_ERROR", "UNKNOWN"];

/** The guest holds the disc: worth repeating for a while. */
export const isTrayLocked = isOneOf(["VBD_TRAY_LOCKED", "DEVICE_DETACH_REJECTED", "DEVICE_DETACH_TIMEOUT"]);

/** The sentence that `xe` prints for each error, long enough to tell them apart. */
export const SENTENCES: readonly (readonly [code: string, sentence: string])[] = [
  ["UUID_INVALID", "The uuid you supplied was invalid."],
  ["HANDLE_INVALID", "You gave an invalid object reference."],
  ["SR_HAS_PBD", "The SR is still connected to a host via a PBD."],
  ["SR_NO_PBDS", "The SR has no attached PBDs"],
  ["VDI_IN_USE", "because this VDI is in use by some other operation"],
  ["VBD_IS_EMPTY", "because the drive is empty"],
  ["VBD_NOT_EMPTY", "because the drive is not empty"],
  ["VBD_TRAY_LOCKED", "This VM has locked the DVD drive tray"],
  ["VBD_NOT_REMOVABLE_MEDIA", "Media could not be ejected because it is not removable"],
  ["DEVICE_ALREADY_EXISTS", "A device with the name given already exists on the selected VM"],
  ["DEVICE_DETACH_REJECTED", "rejected the attempt to detach the device"],
  ["DEVICE_DETACH_TIMEOUT", "while attempting to detach a device from a VM"],
  ["HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", "because the referenced SR is not properly shared"],
  ["HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN", "because it would invalidate VM failover planning"],
  ["VM_REQUIRES_SR", "which doesn't have access to an SR needed by the VM"],
  ["SR_NOT_ATTACHED", "The SR is not attached"],
  ["OPERATION_NOT_ALLOWED", "You attempted an operation that was not allowed."],
  ["VM_BAD_POWER_STATE", "not in an appropriate power state"],
  ["OTHER_OPERATION_IN_PROGRESS", "Another operation involving the object is currently in progress"],
  ["HOST_IN_EMERGENCY_MODE", "the host is running in emergency mode"],
  ["HOST_OFFLINE", "You attempted an operation which involves a host which could not be contacted"],
  ["CANNOT_CONTACT_HOST", "Cannot forward messages because the"],
  ["INTERNAL_ERROR", "The server failed to handle your request, due to an internal error"],
  ["MISSING_PARAMETER", "Required parameter not found"],
  ["REPLY_LOST", "Lost connection to the server"],
  ["REPLY_LOST", "Unable to contact server"],
  ["REPLY_LOST", "Failed to contact a running management agent"],
  ["REPLY_LOST", "Connection reset by peer"],
  ["TOOLSTACK_DOWN", "Connection refused"],
  ["TOOLSTACK_DOWN", "The host toolstack is still initialising"],
];

function adviceOf(code: string): string {
  return ADVICE[code] ?? "See what the host says, and /var/log/xensource.log and /var/log/SMlog on it.";
}

/** A disc that exists on one host only. */
const HA_ADVICE =
  "The VM is protected by HA, and a disc of one host's own would pin it there: " +
  "change the VM's ha-restart-priority for as long as it needs the disc, or give it a disc of the whole pool (its poolWide).";

const OTHER_HOST_ADVICE =
  "The VM runs on a host of the pool that does not have the disc: " +
  "make the disc on that host (its connection.host) or on all (its poolWide), or move the VM to the host that has it.";

const ADVICE: Readonly<Record<string, string>> = {
  HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED: HA_ADVICE,
  HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN: HA_ADVICE,
  VM_REQUIRES_SR: OTHER_HOST_ADVICE,
  SR_NOT_ATTACHED: OTHER_HOST_ADVICE,
  TOOLSTACK_DOWN:
    "Check the toolstack with `systemctl status xapi`, or start it with `xe-toolstack-restart`.",
  CANNOT_CONTACT_HOST:
    "The link between the pool's coordinator and this host broke; run the command again once both answer.",
  REPLY_LOST:
    "The toolstack ended in the midst of it; run the command again once `systemctl status xapi` says it is up.",
  HOST_IN_EMERGENCY_MODE:
    "Its pool coordinator does not answer: bring it back, or make another host the coordinator with `xe pool-emergency-transition-to-master`.",
  HOST_OFFLINE:
    "Start that host. If it is gone for good, make the pool forget it with `xe host-forget`, then run the command again.",
  OTHER_OPERATION_IN_PROGRESS:
    "Wait until the other operation is done (`xe task-list`), then run the command again.",
  SR_BACKEND_FAILURE_226: "The folder is not on the host that was to attach it.",
  VM_BAD_POWER_STATE: "Resume or shut down that VM, then run the command again.",
  VDI_IN_USE:
    "Shut down the VM that uses the disc, or take the disc out of its drive, then run the command again.",
};
