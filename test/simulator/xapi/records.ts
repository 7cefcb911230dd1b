/** A map field of a record: `other-config`, `device-config`. */
export type StringMap = Record<string, string>;

/** A server of the pool. */
export interface HostRecord {
  readonly uuid: string;
  nameLabel: string;
  nameDescription: string;
  /** Where its xapi and its sshd are reached. */
  address: string;
  enabled: boolean;
  /** Whether the coordinator hears of it. */
  isLive: boolean;
  /** Whether sshd runs only while xapi is down; a host before xapi 25.27 has no such field. */
  sshAutoMode: boolean | undefined;
  /** After how many seconds sshd is stopped; 0 is never. */
  sshEnabledTimeout: number;
  otherConfig: StringMap;
  tags: string[];
}

/** A storage repository. */
export interface SrRecord {
  readonly uuid: string;
  nameLabel: string;
  nameDescription: string;
  readonly type: string;
  readonly contentType: string;
  readonly shared: boolean;
  otherConfig: StringMap;
  smConfig: StringMap;
  tags: string[];
}

/** The connection of one host to one SR. */
export interface PbdRecord {
  readonly uuid: string;
  readonly hostUuid: string;
  readonly srUuid: string;
  deviceConfig: StringMap;
  currentlyAttached: boolean;
  otherConfig: StringMap;
}

/** A virtual disc image: in an ISO SR, a file of its folder. */
export interface VdiRecord {
  readonly uuid: string;
  nameLabel: string;
  nameDescription: string;
  readonly srUuid: string;
  /** In bytes. */
  virtualSize: number;
  /** File name in the SR's folder. */
  readonly location: string;
  readonly readOnly: boolean;
  readonly isToolsIso: boolean;
  otherConfig: StringMap;
  tags: string[];
}

/** What a drive is. */
export type VbdType = "CD" | "Disk" | "Floppy";

/** How a guest holds on to its disc. */
export type VbdRefusal = "VBD_TRAY_LOCKED" | "DEVICE_DETACH_REJECTED" | "DEVICE_DETACH_TIMEOUT";

/** A drive of a VM. */
export interface VbdRecord {
  readonly uuid: string;
  readonly vmUuid: string;
  /** May name a VDI whose record is gone: a forgotten SR leaves that behind. */
  vdiUuid: string | undefined;
  readonly type: VbdType;
  readonly mode: "RO" | "RW";
  /** The slot: `3`. */
  userdevice: string;
  /** The guest's name of it: `xvdd`; empty while the VM does not run. */
  device: string;
  empty: boolean;
  bootable: boolean;
  unpluggable: boolean;
  currentlyAttached: boolean;
  otherConfig: StringMap;
  /** The operation that runs on it: `eject`. */
  operation: string | undefined;
  /** How the guest answers the next ejects, and how many of them; xapi does not know of it. */
  refusals: { code: VbdRefusal; times: number } | undefined;
}

/** What a VM is doing. */
export type PowerState = "running" | "halted" | "suspended" | "paused";

/** A virtual machine, a template, a snapshot or a control domain. */
export interface VmRecord {
  readonly uuid: string;
  nameLabel: string;
  nameDescription: string;
  powerState: PowerState;
  isATemplate: boolean;
  isASnapshot: boolean;
  snapshotOf: string | undefined;
  readonly isControlDomain: boolean;
  /** Discs of a PV or PVH guest are unplugged, those of an HVM guest are ejected. */
  readonly domainType: "hvm" | "pv" | "pvh";
  /** `restart` protects it by HA. */
  haRestartPriority: "" | "best-effort" | "restart";
  /** The host it runs on. */
  residentOn: string | undefined;
  otherConfig: StringMap;
  tags: string[];
}

/** An operation that xapi runs for somebody. */
export interface TaskRecord {
  readonly uuid: string;
  readonly nameLabel: string;
  readonly nameDescription: string;
  status: "pending" | "success" | "failure" | "cancelled";
  /** From 0 to 1. */
  progress: number;
  readonly residentOn: string;
}

/** The pool itself. */
export interface PoolRecord {
  readonly uuid: string;
  nameLabel: string;
  nameDescription: string;
  coordinatorUuid: string;
  haEnabled: boolean;
  otherConfig: StringMap;
  tags: string[];
}
