/** A reference among an error's parameters: printed as `uuid (name-label)`. */
export class Ref {
  constructor(readonly uuid: string) {}
}

/** An error of the API: `xe` prints its sentence and its parameters. */
export class XapiError extends Error {
  override readonly name = "XapiError";
  readonly params: readonly (string | Ref)[];

  constructor(
    readonly code: string,
    ...params: readonly (string | Ref)[]
  ) {
    super(code);
    this.params = params;
  }
}

/** A failed check inside a command: `xe` prints `Error: <text>`. */
export class CliFailure extends Error {
  override readonly name = "CliFailure";
}

/** `xe` itself failed, and prints these words alone. */
export class ClientFailure extends Error {
  override readonly name = "ClientFailure";
}

/** A command line that cannot be read: `xe` prints its text and a hint at the usage. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** An error of the storage manager. xapi has no sentence for it, and puts an empty text before and after. */
export const backendFailure = (code: number, text: string) =>
  new XapiError(`SR_BACKEND_FAILURE_${code}`, "", text, "");

/**
 * What `xe` prints on standard error.
 *
 * @param print how a reference is printed
 * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_util.ml get_server_error, xapi_cli.ml exception_handler
 */
export function printError(error: unknown, print: (ref: Ref) => string): string {
  if (error instanceof CliFailure) return `Error: ${error.message}\n`;
  if (error instanceof UsageError) return `${error.message}\nFor usage run: 'xe help'\n`;
  if (error instanceof ClientFailure) return `${error.message}\n`;
  if (!(error instanceof XapiError)) throw error;

  const params = error.params.map((param) => (param instanceof Ref ? print(param) : param));
  const known = ERRORS[error.code];
  if (!known) return `Error code: ${error.code}\nError parameters: ${params.join(", ")}\n`;
  const [sentence, ...names] = known;
  const lines = Array.from({ length: Math.max(names.length, params.length) }, (_, index) => {
    return `${names[index] ?? "<extra>"}: ${params[index] ?? "<unknown>"}`;
  });
  return [sentence, ...lines].map((line) => `${line}\n`).join("");
}

/**
 * Each code's sentence, then the names of its parameters.
 *
 * @see xapi-project/xen-api: ocaml/idl/datamodel_errors.ml
 */
const ERRORS: Readonly<Record<string, readonly [sentence: string, ...names: string[]]>> = {
  CANNOT_CONTACT_HOST: [
    "Cannot forward messages because the server cannot be contacted. The server may be switched off or there may be network connectivity problems.",
    "host",
  ],
  DEVICE_ALREADY_ATTACHED: ["The device is already attached to a VM", "device"],
  DEVICE_ALREADY_DETACHED: ["The device is not currently attached", "device"],
  DEVICE_ALREADY_EXISTS: ["A device with the name given already exists on the selected VM", "device"],
  DEVICE_DETACH_REJECTED: ["The VM rejected the attempt to detach the device.", "type", "ref", "msg"],
  DEVICE_DETACH_TIMEOUT: ["A timeout happened while attempting to detach a device from a VM.", "type", "ref"],
  HANDLE_INVALID: [
    "You gave an invalid object reference. The object may have recently been deleted. The class parameter gives the type of reference given, and the handle parameter echoes the bad value given.",
    "class",
    "handle",
  ],
  HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED: [
    "This operation cannot be performed because the referenced SR is not properly shared. The SR must both be marked as shared and a currently_attached PBD must exist for each host.",
    "SR",
  ],
  HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN: [
    "This operation cannot be performed because it would invalidate VM failover planning such that the system would be unable to guarantee to restart protected VMs after a Host failure.",
  ],
  HA_IS_ENABLED: ["The operation could not be performed because HA is enabled on the Pool"],
  HOST_CANNOT_DESTROY_SELF: ["The pool coordinator host cannot be removed.", "host"],
  HOST_DISABLED: ["The specified server is disabled.", "host"],
  HOST_IN_EMERGENCY_MODE: ["Cannot perform operation as the host is running in emergency mode."],
  HOST_IS_LIVE: ["This operation cannot be completed because the server is still live.", "host"],
  HOST_OFFLINE: ["You attempted an operation which involves a host which could not be contacted.", "host"],
  HOST_STILL_BOOTING: ["The host toolstack is still initialising. Please wait."],
  INVALID_DEVICE: ["The device name is invalid", "device"],
  MAP_DUPLICATE_KEY: [
    "You tried to add a key-value pair to a map, but that key is already there.",
    "type",
    "param_name",
    "uuid",
    "key",
  ],
  NOT_SUPPORTED_DURING_UPGRADE: ["This operation is not supported during an upgrade."],
  OPERATION_NOT_ALLOWED: ["You attempted an operation that was not allowed.", "reason"],
  OTHER_OPERATION_IN_PROGRESS: [
    "Another operation involving the object is currently in progress",
    "class",
    "object",
    "operation_type",
    "operation_ref",
  ],
  SR_HAS_PBD: ["The SR is still connected to a host via a PBD. It cannot be destroyed or forgotten.", "sr"],
  SR_NOT_ATTACHED: ["The SR is not attached.", "sr"],
  SR_NOT_EMPTY: ["The SR operation cannot be performed because the SR is not empty."],
  SR_NO_PBDS: ["The SR has no attached PBDs", "sr"],
  SR_UNKNOWN_DRIVER: ["The SR could not be connected because the driver was not recognised.", "driver"],
  UUID_INVALID: ["The uuid you supplied was invalid.", "type", "uuid"],
  VBD_CDS_MUST_BE_READONLY: ["Read/write CDs are not supported"],
  VBD_IS_EMPTY: ["Operation could not be performed because the drive is empty", "vbd"],
  VBD_NOT_EMPTY: ["Operation could not be performed because the drive is not empty", "vbd"],
  VBD_NOT_REMOVABLE_MEDIA: ["Media could not be ejected because it is not removable", "vbd"],
  VBD_TRAY_LOCKED: ["This VM has locked the DVD drive tray, so the disk cannot be ejected", "vbd"],
  VDI_IN_USE: [
    "This operation cannot be performed because this VDI is in use by some other operation",
    "vdi",
    "operation",
  ],
  VDI_READONLY: ["The operation required write access but this VDI is read-only", "vdi"],
  VM_BAD_POWER_STATE: [
    "You attempted an operation on a VM that was not in an appropriate power state at the time; for example, you attempted to start a VM that was already running. The parameters returned are the VM's handle, and the expected and actual VM state at the time of the call.",
    "vm",
    "expected",
    "actual",
  ],
  VM_NO_EMPTY_CD_VBD: ["The VM has no empty CD drive (VBD).", "vm"],
  VM_REQUIRES_SR: [
    "You attempted to run a VM on a host which doesn't have access to an SR needed by the VM. The VM has at least one VBD attached to a VDI in the SR.",
    "vm",
    "sr",
  ],
};
