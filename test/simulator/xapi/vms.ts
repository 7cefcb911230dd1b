import { randomUUID } from "node:crypto";
import { Ref, XapiError } from "./errors";
import type { PowerState, VbdRecord, VbdType, VmRecord } from "./records";
import type { Xapi } from "./xapi";

/** A drive that a VM is to have. */
export interface NewDrive {
  /** `CD` by default. */
  readonly type?: VbdType;
  /** What is in it; empty by default. */
  readonly vdiUuid?: string;
  /** The slot: `3` for the first one by default, as the templates have it. */
  readonly userdevice?: string;
}

/** A VM that is to be. */
export interface NewVm {
  readonly name: string;
  /** `halted` by default. */
  readonly powerState?: PowerState;
  /** The host it runs on, the coordinator by default; counts while it runs or is paused. */
  readonly hostUuid?: string;
  /** One empty CD drive by default. */
  readonly drives?: readonly NewDrive[];
  readonly domainType?: VmRecord["domainType"];
  readonly isATemplate?: boolean;
}

/** Records a VM with its drives, without asking whether it could run. */
export function addVm(xapi: Xapi, vm: NewVm): { vm: VmRecord; drives: VbdRecord[] } {
  const powerState = vm.powerState ?? "halted";
  const isResident = powerState === "running" || powerState === "paused";
  const record: VmRecord = {
    uuid: randomUUID(),
    nameLabel: vm.name,
    nameDescription: "",
    powerState,
    isATemplate: vm.isATemplate ?? false,
    isASnapshot: false,
    snapshotOf: undefined,
    isControlDomain: false,
    domainType: vm.domainType ?? "hvm",
    haRestartPriority: "",
    residentOn: isResident ? (vm.hostUuid ?? xapi.pool.coordinatorUuid) : undefined,
    otherConfig: {},
    tags: [],
  };
  xapi.vms.push(record);
  const drives = (vm.drives ?? [{}]).map((drive, index) =>
    newDrive(record, { userdevice: String(3 + index), ...drive }),
  );
  xapi.vbds.push(...drives);
  return { vm: record, drives };
}

/** Records a snapshot of a VM, a checkpoint if its memory is kept; it has drives of its own. */
export function addSnapshot(xapi: Xapi, vm: VmRecord, { isCheckpoint = false } = {}): VmRecord {
  const snapshot: VmRecord = {
    ...vm,
    uuid: randomUUID(),
    nameLabel: `${vm.nameLabel} snapshot`,
    isASnapshot: true,
    isATemplate: true,
    snapshotOf: vm.uuid,
    powerState: isCheckpoint ? "suspended" : "halted",
    residentOn: undefined,
    otherConfig: {},
    tags: [],
  };
  xapi.vms.push(snapshot);
  const drives = xapi.vbdsOf(vm.uuid).map((vbd) => ({
    ...vbd,
    uuid: randomUUID(),
    vmUuid: snapshot.uuid,
    currentlyAttached: false,
    device: "",
    operation: undefined,
    refusals: undefined,
  }));
  xapi.vbds.push(...drives);
  return snapshot;
}

/** A drive of a VM; not recorded yet. */
export function newDrive(
  vm: VmRecord,
  { type = "CD", vdiUuid, userdevice = "3" }: NewDrive,
  mode: VbdRecord["mode"] = "RO",
): VbdRecord {
  const isResident = vm.residentOn !== undefined;
  return {
    uuid: randomUUID(),
    vmUuid: vm.uuid,
    vdiUuid,
    type,
    mode,
    userdevice,
    device: isResident ? deviceOf(userdevice) : "",
    empty: vdiUuid === undefined,
    bootable: false,
    unpluggable: true,
    currentlyAttached: isResident,
    otherConfig: {},
    operation: undefined,
    refusals: undefined,
  };
}

/**
 * Starts or resumes a VM on a host, or on the first one that can run it, the coordinator before others.
 *
 * @throws XapiError
 */
export function startVm(xapi: Xapi, vm: VmRecord, hostUuid = firstHostFor(xapi, vm)): void {
  assertCanRun(xapi, vm, hostUuid);
  vm.powerState = "running";
  vm.residentOn = hostUuid;
  for (const vbd of xapi.vbdsOf(vm.uuid)) {
    vbd.currentlyAttached = true;
    vbd.device = deviceOf(vbd.userdevice);
  }
}

/**
 * Moves a running VM to another host, which has to have its discs.
 *
 * @throws XapiError
 */
export function migrateVm(xapi: Xapi, vm: VmRecord, hostUuid: string): void {
  assertCanRun(xapi, vm, hostUuid);
  vm.residentOn = hostUuid;
}

/** What HA does when a host is gone: its PBDs count as unplugged, its protected VMs start where they can. */
export function restartProtectedVms(xapi: Xapi, lostHostUuid: string): void {
  const lost = xapi.vms.filter((vm) => vm.residentOn === lostHostUuid);
  xapi.halt(lostHostUuid);
  for (const vm of lost.filter((each) => each.haRestartPriority === "restart")) startVm(xapi, vm);
}

function firstHostFor(xapi: Xapi, vm: VmRecord): string {
  const { coordinatorUuid } = xapi.pool;
  const canRun = (hostUuid: string) => {
    try {
      assertCanRun(xapi, vm, hostUuid);
      return true;
    } catch (error) {
      if (error instanceof XapiError) return false;
      throw error;
    }
  };
  return [coordinatorUuid, ...xapi.hosts.map(({ uuid }) => uuid)].find(canRun) ?? coordinatorUuid;
}

/** @see xapi-project/xen-api: ocaml/xapi/xapi_vm_helpers.ml assert_can_see_SRs */
function assertCanRun(xapi: Xapi, vm: VmRecord, hostUuid: string): void {
  const host = xapi.host(hostUuid);
  if (!host.isLive || xapi.toolstack(hostUuid).state !== "up")
    throw new XapiError("HOST_OFFLINE", new Ref(hostUuid));
  if (!host.enabled) throw new XapiError("HOST_DISABLED", new Ref(hostUuid));
  for (const { vdiUuid } of xapi.vbdsOf(vm.uuid).filter((vbd) => !vbd.empty)) {
    const vdi = xapi.vdis.find(({ uuid }) => uuid === vdiUuid);
    if (!vdi) throw new XapiError("HANDLE_INVALID", "VDI", `OpaqueRef:${vdiUuid ?? "NULL"}`);
    const isSeen = xapi.pbdsOf(vdi.srUuid).some((pbd) => pbd.hostUuid === hostUuid && pbd.currentlyAttached);
    if (!isSeen) throw new XapiError("VM_REQUIRES_SR", new Ref(vm.uuid), new Ref(vdi.srUuid));
    xapi.storage.assertAttachable(vdi, hostUuid);
  }
}

/** Shuts a VM down or suspends it. */
export function stopVm(xapi: Xapi, vm: VmRecord, powerState: "halted" | "suspended" = "halted"): void {
  vm.powerState = powerState;
  vm.residentOn = undefined;
  for (const vbd of xapi.vbdsOf(vm.uuid)) {
    // A suspended VM's drives count as attached; its discs are let go of all the same.
    vbd.currentlyAttached = powerState === "suspended";
    if (powerState === "halted") vbd.device = "";
  }
}

/** `3` → `xvdd` */
export function deviceOf(userdevice: string): string {
  return `xvd${String.fromCharCode("a".charCodeAt(0) + Number(userdevice))}`;
}
