import { CliFailure, Ref, XapiError } from "../xapi/errors";
import { ejectDisc, insertDisc } from "../xapi/drives";
import type { VbdRecord, VbdType, VmRecord } from "../xapi/records";
import { deviceOf, newDrive } from "../xapi/vms";
import { type Command, command, type CommandContext } from "./command";

export const vbdCommands: Readonly<Record<string, Command>> = {
  "vbd-insert": command(["uuid", "vdi-uuid"], async ({ xapi, args }) => {
    const vbd = xapi.vbd(args.need("uuid"));
    await insertDisc(xapi, vbd, xapi.vdi(args.need("vdi-uuid")));
    return undefined;
  }),

  "vbd-eject": command(["uuid"], async ({ xapi, args }) => {
    await ejectDisc(xapi, xapi.vbd(args.need("uuid")));
    return undefined;
  }),

  "vbd-create": command(["vm-uuid", "device"], (context) => {
    const vbd = createDrive(context);
    context.xapi.vbds.push(vbd);
    return { list: [vbd.uuid] };
  }),

  "vbd-destroy": command(["uuid"], ({ xapi, args }) => {
    const vbd = xapi.vbd(args.need("uuid"));
    if (vbd.currentlyAttached) {
      const reason = `VBD '${vbd.uuid}' still attached to '${vbd.vmUuid}'`;
      throw new XapiError("OPERATION_NOT_ALLOWED", reason);
    }
    xapi.vbds.splice(xapi.vbds.indexOf(vbd), 1);
    return undefined;
  }),

  "vbd-plug": command(["uuid"], (context) => {
    const { vbd, vm } = hotpluggable(context, "plug");
    const vdi = vbd.vdiUuid === undefined ? undefined : context.xapi.vdi(vbd.vdiUuid);
    if (vdi && vm.residentOn !== undefined) context.xapi.storage.assertAttachable(vdi, vm.residentOn);
    vbd.currentlyAttached = true;
    vbd.device = deviceOf(vbd.userdevice);
    return undefined;
  }),

  "vbd-unplug": command(["uuid"], (context) => {
    const { vbd } = hotpluggable(context, "unplug");
    vbd.currentlyAttached = false;
    vbd.device = "";
    return undefined;
  }),
};

/** @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_operations.ml vbd_create, ocaml/xapi/xapi_vbd.ml create */
function createDrive({ xapi, args }: CommandContext): VbdRecord {
  const vm = xapi.vm(args.need("vm-uuid"));
  const vdiUuid = args.get("vdi-uuid");
  const vdi = vdiUuid === undefined ? undefined : xapi.vdi(vdiUuid);
  const mode = modeOf(args.get("mode") ?? "rw");
  const type = typeOf(args.get("type") ?? "disk");
  if (type === "Disk" && !vdi) throw new CliFailure("Empty VBDs can only be made for type=CD");
  if (type === "CD" && mode === "RW") throw new XapiError("VBD_CDS_MUST_BE_READONLY");
  if (mode === "RW" && vdi?.readOnly) throw new XapiError("VDI_READONLY", new Ref(vdi.uuid));
  const taken = xapi.vbdsOf(vm.uuid).map((vbd) => vbd.userdevice);
  const userdevice = slotOf(args.need("device"), taken);
  const drive = newDrive(vm, { type, userdevice, ...(vdi && { vdiUuid: vdi.uuid }) }, mode);
  // A new drive of a running VM is not plugged, and the guest has no name for it.
  return {
    ...drive,
    currentlyAttached: false,
    device: "",
    bootable: args.get("bootable") === "true",
    unpluggable: args.get("unpluggable") !== "false",
  };
}

function modeOf(text: string): "RO" | "RW" {
  const mode = text.toUpperCase();
  if (mode === "RO" || mode === "RW") return mode;
  throw new CliFailure(`Unknown mode: ${text.toLowerCase()} (should be "ro" or "rw"`);
}

function typeOf(text: string): VbdType {
  const type = (["CD", "Disk", "Floppy"] as const).find((each) => each.toLowerCase() === text.toLowerCase());
  if (type) return type;
  throw new CliFailure(`"Unknown type: ${text.toLowerCase()} (should be "cd", "disk" or "floppy"`);
}

function slotOf(device: string, taken: readonly string[]): string {
  const slots = Array.from({ length: 16 }, (_, index) => String(index));
  const slot = device === "autodetect" ? slots.find((each) => !taken.includes(each)) : device;
  if (slot === undefined || !slots.includes(slot)) throw new XapiError("INVALID_DEVICE", device);
  if (taken.includes(slot)) throw new XapiError("DEVICE_ALREADY_EXISTS", slot);
  return slot;
}

function hotpluggable(
  { xapi, args }: CommandContext,
  operation: "plug" | "unplug",
): { vbd: VbdRecord; vm: VmRecord } {
  const vbd = xapi.vbd(args.need("uuid"));
  const vm = xapi.vm(vbd.vmUuid);
  if (vm.powerState !== "running") {
    throw new XapiError("VM_BAD_POWER_STATE", new Ref(vm.uuid), "running", vm.powerState);
  }
  if (vbd.currentlyAttached && operation === "plug") {
    throw new XapiError("DEVICE_ALREADY_ATTACHED", new Ref(vbd.uuid));
  }
  if (!vbd.currentlyAttached && operation === "unplug") {
    throw new XapiError("DEVICE_ALREADY_DETACHED", new Ref(vbd.uuid));
  }
  if (vm.domainType === "hvm" && vbd.type === "CD") {
    const reason = "HVM CDROMs cannot be hotplugged/unplugged, only inserted or ejected";
    throw new XapiError("OPERATION_NOT_ALLOWED", reason);
  }
  return { vbd, vm };
}
