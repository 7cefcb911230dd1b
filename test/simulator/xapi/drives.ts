import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Ref, XapiError } from "./errors";
import type { VbdRecord, VbdRefusal, VdiRecord, VmRecord } from "./records";
import { deviceOf } from "./vms";
import type { Xapi } from "./xapi";

/**
 * Puts a disc into a drive.
 *
 * @throws XapiError
 * @see xapi-project/xen-api: ocaml/xapi/xapi_vbd_helpers.ml valid_operations
 */
export async function insertDisc(xapi: Xapi, vbd: VbdRecord, vdi: VdiRecord): Promise<void> {
  await operate(xapi, vbd, "insert", (vm) => {
    assertStaysAgile(xapi, vm, vdi);
    if (vm.residentOn !== undefined) {
      // xenopsd knows the drives that the VM was started with.
      if (!vbd.currentlyAttached) {
        throw new XapiError("HANDLE_INVALID", "VBD", `${vm.uuid}.${deviceOf(vbd.userdevice)}`);
      }
      xapi.storage.assertAttachable(vdi, vm.residentOn);
    }
    vbd.vdiUuid = vdi.uuid;
    vbd.empty = false;
  });
}

/**
 * Takes the disc out of a drive, if the guest lets it.
 *
 * @throws XapiError
 */
export async function ejectDisc(xapi: Xapi, vbd: VbdRecord): Promise<void> {
  await operate(xapi, vbd, "eject", (vm) => {
    if (!xapi.vdis.some((vdi) => vdi.uuid === vbd.vdiUuid)) {
      throw new XapiError("HANDLE_INVALID", "VDI", `OpaqueRef:${vbd.vdiUuid ?? "NULL"}`);
    }
    const { refusals } = vbd;
    if (vm.residentOn !== undefined && refusals && refusals.times-- > 0) throw refused(refusals.code, vbd);
    vbd.vdiUuid = undefined;
    vbd.empty = true;
  });
}

/** Does one operation on a drive at a time; another one meanwhile is refused. */
async function operate(
  xapi: Xapi,
  vbd: VbdRecord,
  operation: "insert" | "eject",
  work: (vm: VmRecord) => void,
): Promise<void> {
  const vm = xapi.vm(vbd.vmUuid);
  assertAllowed(vbd, vm, operation);
  vbd.operation = operation;
  try {
    await sleep(xapi.driveMs);
    work(vm);
  } finally {
    vbd.operation = undefined;
  }
}

function assertAllowed(vbd: VbdRecord, vm: VmRecord, operation: "insert" | "eject"): void {
  const ref = new Ref(vbd.uuid);
  if (vbd.operation !== undefined) {
    const task = `OpaqueRef:${randomUUID()}`;
    throw new XapiError("OTHER_OPERATION_IN_PROGRESS", "VBD", ref, vbd.operation, task);
  }
  if (vbd.type !== "CD") throw new XapiError("VBD_NOT_REMOVABLE_MEDIA", ref);
  if (operation === "eject" && vbd.empty) throw new XapiError("VBD_IS_EMPTY", ref);
  if (operation === "insert" && !vbd.empty) throw new XapiError("VBD_NOT_EMPTY", ref);
  if (vm.powerState === "suspended") {
    throw new XapiError("VM_BAD_POWER_STATE", new Ref(vm.uuid), "halted, running", "suspended");
  }
}

/**
 * HA has to be able to start a protected VM anywhere.
 *
 * @see xapi-project/xen-api: ocaml/xapi/xapi_vbd_helpers.ml assert_doesnt_make_vm_non_agile
 */
function assertStaysAgile(xapi: Xapi, vm: VmRecord, vdi: VdiRecord): void {
  const isProtected = xapi.pool.haEnabled && vm.haRestartPriority === "restart";
  if (isProtected && !xapi.isProperlyShared(xapi.sr(vdi.srUuid))) {
    throw new XapiError("HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN");
  }
}

function refused(code: VbdRefusal, { uuid }: VbdRecord): XapiError {
  if (code === "VBD_TRAY_LOCKED") return new XapiError(code, new Ref(uuid));
  if (code === "DEVICE_DETACH_TIMEOUT") return new XapiError(code, "VBD", new Ref(uuid));
  return new XapiError(code, "VBD", new Ref(uuid), "");
}
