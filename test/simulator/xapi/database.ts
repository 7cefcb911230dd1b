import { randomUUID } from "node:crypto";
import { Ref, XapiError } from "./errors";
import type {
  HostRecord,
  PbdRecord,
  PoolRecord,
  SrRecord,
  TaskRecord,
  VbdRecord,
  VdiRecord,
  VmRecord,
} from "./records";

/** The pool's database: plain records, in the order they were made. */
export class Database {
  readonly hosts: HostRecord[] = [];
  readonly srs: SrRecord[] = [];
  readonly pbds: PbdRecord[] = [];
  readonly vdis: VdiRecord[] = [];
  readonly vbds: VbdRecord[] = [];
  readonly vms: VmRecord[] = [];
  readonly tasks: TaskRecord[] = [];
  readonly pool: PoolRecord = {
    uuid: randomUUID(),
    nameLabel: "",
    nameDescription: "",
    coordinatorUuid: "",
    haEnabled: false,
    otherConfig: {},
    tags: [],
  };

  /** @throws XapiError `UUID_INVALID` */
  host = (uuid: string) => find(this.hosts, "host", uuid);
  /** @throws XapiError `UUID_INVALID` */
  sr = (uuid: string) => find(this.srs, "SR", uuid);
  /** @throws XapiError `UUID_INVALID` */
  pbd = (uuid: string) => find(this.pbds, "PBD", uuid);
  /** @throws XapiError `UUID_INVALID` */
  vdi = (uuid: string) => find(this.vdis, "VDI", uuid);
  /** @throws XapiError `UUID_INVALID` */
  vbd = (uuid: string) => find(this.vbds, "VBD", uuid);
  /** @throws XapiError `UUID_INVALID` */
  vm = (uuid: string) => find(this.vms, "VM", uuid);

  pbdsOf = (srUuid: string) => this.pbds.filter((pbd) => pbd.srUuid === srUuid);
  vdisOf = (srUuid: string) => this.vdis.filter((vdi) => vdi.srUuid === srUuid);
  vbdsOf = (vmUuid: string) => this.vbds.filter((vbd) => vbd.vmUuid === vmUuid);

  /**
   * The PBD through which xapi operates on an SR as a whole. A shared SR's is the coordinator's, and no other
   * host stands in for it.
   *
   * @throws XapiError `SR_NO_PBDS`
   * @see xapi-project/xen-api: ocaml/xapi/message_forwarding.ml choose_pbd_for_sr
   */
  pbdForOperation({ uuid, shared }: SrRecord): PbdRecord {
    const plugged = this.pbdsOf(uuid).filter((pbd) => pbd.currentlyAttached);
    const usable = shared
      ? plugged.filter(({ hostUuid }) => hostUuid === this.pool.coordinatorUuid)
      : plugged;
    if (!usable[0]) throw new XapiError("SR_NO_PBDS", new Ref(uuid));
    return usable[0];
  }

  /** Whether an SR is marked as shared and every host has plugged it. */
  isProperlyShared({ uuid, shared }: SrRecord): boolean {
    const plugged = this.pbdsOf(uuid).filter((pbd) => pbd.currentlyAttached);
    return shared && this.hosts.every((host) => plugged.some((pbd) => pbd.hostUuid === host.uuid));
  }

  /**
   * HA protects only a VM that can run on any host of the pool.
   *
   * @throws XapiError `HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED`
   * @see xapi-project/xen-api: ocaml/xapi/agility.ml vm_assert_agile
   */
  assertAgile(vm: VmRecord): void {
    const vdiUuids = this.vbdsOf(vm.uuid).map((vbd) => vbd.vdiUuid);
    const srs = this.vdis.filter((vdi) => vdiUuids.includes(vdi.uuid)).map((vdi) => this.sr(vdi.srUuid));
    const pinning = srs.find((sr) => !this.isProperlyShared(sr));
    if (pinning) throw new XapiError("HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED", new Ref(pinning.uuid));
  }

  /** Drops the records of an SR, its PBDs and its VDIs; drives that name one of these keep doing so. */
  forgetSr(srUuid: string): void {
    remove(this.vdis, (vdi) => vdi.srUuid === srUuid);
    remove(this.pbds, (pbd) => pbd.srUuid === srUuid);
    remove(this.srs, (sr) => sr.uuid === srUuid);
  }

  /** A reference as xapi prints it in an error: `uuid (name-label)`. */
  print(ref: Ref): string {
    const named = [...this.hosts, ...this.srs, ...this.vdis, ...this.vms, ...this.tasks];
    const found = named.find(({ uuid }) => uuid === ref.uuid);
    if (found) return `${ref.uuid} (${found.nameLabel})`;
    const nameless = [...this.pbds, ...this.vbds].some(({ uuid }) => uuid === ref.uuid);
    return nameless ? ref.uuid : `OpaqueRef:${ref.uuid}`;
  }
}

/** Removes what matches from a list that others hold on to. */
export function remove<T>(list: T[], matches: (each: T) => boolean): void {
  list.splice(0, list.length, ...list.filter((each) => !matches(each)));
}

function find<T extends { readonly uuid: string }>(records: readonly T[], type: string, uuid: string): T {
  const found = records.find((record) => record.uuid === uuid);
  if (!found) throw new XapiError("UUID_INVALID", type, uuid);
  return found;
}
