import { randomUUID } from "node:crypto";
import { type Ref, XapiError } from "./errors";
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
