import { CLASSES } from "../xapi/classes";
import { Arguments } from "../xapi/arguments";
import { CliFailure, Ref, XapiError } from "../xapi/errors";
import { ejectDisc, insertDisc } from "../xapi/drives";
import type { PowerState, VmRecord } from "../xapi/records";
import type { Xapi } from "../xapi/xapi";
import { migrateVm, startVm, stopVm } from "../xapi/vms";
import { type Command, command, type CommandContext } from "./command";
import { filterRecords } from "./list";

export const vmCommands: Readonly<Record<string, Command>> = {
  "vm-cd-insert": command(["cd-name"], async (context) => {
    const { xapi, args } = context;
    const vdi = discNamed(xapi, args.need("cd-name"));
    const vm = selectVm(context, ["cd-name"]);
    const drive = xapi.vbdsOf(vm.uuid).find((vbd) => vbd.type === "CD" && vbd.empty);
    if (!drive) throw new XapiError("VM_NO_EMPTY_CD_VBD", new Ref(vm.uuid));
    await insertDisc(xapi, drive, vdi);
    return undefined;
  }),

  "vm-cd-eject": command([], async (context) => {
    const vm = selectVm(context, []);
    const [drive, second] = context.xapi.vbdsOf(vm.uuid).filter((vbd) => vbd.type === "CD");
    if (!drive) throw new CliFailure("No CDs found");
    if (second) throw new CliFailure("Two or more CDs found. Please use vbd-eject");
    await ejectDisc(context.xapi, drive);
    return undefined;
  }),

  "vm-start": command([], (context) => {
    const vm = selectVm(context, ["on"]);
    assertPowerState(vm, "halted");
    startVm(context.xapi, vm, hostNamed(context, "on"));
    return undefined;
  }),

  "vm-shutdown": command([], (context) => {
    const vm = selectVm(context, []);
    assertPowerState(vm, "running");
    stopVm(context.xapi, vm);
    return undefined;
  }),

  "vm-suspend": command([], (context) => {
    const vm = selectVm(context, []);
    assertPowerState(vm, "running");
    stopVm(context.xapi, vm, "suspended");
    return undefined;
  }),

  "vm-resume": command([], (context) => {
    const vm = selectVm(context, ["on"]);
    assertPowerState(vm, "suspended");
    startVm(context.xapi, vm, hostNamed(context, "on"));
    return undefined;
  }),

  "vm-migrate": command([], (context) => {
    const vm = selectVm(context, ["host", "live"]);
    assertPowerState(vm, "running");
    const hostUuid = hostNamed(context, "host");
    if (hostUuid === undefined) throw new CliFailure("No destination host specified.");
    migrateVm(context.xapi, vm, hostUuid);
    return undefined;
  }),
};

/** The UUID of the host that an argument names, by UUID or name. */
function hostNamed({ xapi, args }: CommandContext, key: string): string | undefined {
  const name = args.get(key);
  return xapi.hosts.find((host) => name !== undefined && [host.uuid, host.nameLabel].includes(name))?.uuid;
}

function discNamed(xapi: Xapi, name: string) {
  const isIso = (srUuid: string) => xapi.sr(srUuid).contentType === "iso";
  const [vdi, second] = xapi.vdis.filter((each) => each.nameLabel === name && isIso(each.srUuid));
  if (!vdi) throw new CliFailure(`CD ${name} not found`);
  if (second)
    throw new CliFailure(`Multiple CDs named ${name} found. Please use vbd-insert and specify uuids`);
  return vdi;
}

/**
 * The one VM that the arguments select: `uuid=…`, `vm=<name or UUID>`, or any filter of `vm-list`.
 *
 * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_operations.ml do_vm_op
 */
function selectVm({ xapi, args }: CommandContext, ignored: readonly string[]): VmRecord {
  const named = args.get("vm");
  const candidates = xapi.vms
    .filter((vm) => !vm.isATemplate && !vm.isControlDomain)
    .filter((vm) => named === undefined || [vm.uuid, vm.nameLabel].includes(named));
  const filters = args.entries
    .filter(([key]) => key !== "vm" && !ignored.includes(key))
    .map(([key, value]) => `${key}=${value}`);
  const selectors = Arguments.parse([args.command, ...filters]);
  const [vm, second] = filterRecords(CLASSES.vm, candidates, selectors, xapi);
  if (!vm) throw new CliFailure("No matching VMs found");
  if (second) {
    throw new CliFailure("Multiple matches VMs found. --multiple required to complete the operation");
  }
  return vm;
}

function assertPowerState({ uuid, powerState }: VmRecord, expected: PowerState): void {
  if (powerState !== expected) throw new XapiError("VM_BAD_POWER_STATE", new Ref(uuid), expected, powerState);
}
