import type { Database } from "./database";
import { XapiError } from "./errors";
import { type Field, map, NOT_IN_DATABASE, set, text, writable } from "./fields";
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

/** A class of records with what `xe <class>-list` shows of it. */
export interface RecordClass<R> {
  readonly name: string;
  readonly records: (database: Database) => readonly R[];
  /** Finds one by its UUID; throws `UUID_INVALID`. */
  readonly find: (database: Database, uuid: string) => R;
  /** In the order in which they are printed: xapi's `records.ml`. */
  readonly fields: readonly Field<R>[];
  readonly shown: readonly string[];
}

type Named = { nameLabel: string; nameDescription: string };
type Configured = { otherConfig: Record<string, string> };

const uuid = text<{ uuid: string }>("uuid", (record) => record.uuid);
const names = <R extends Named>(check: (record: R, database: Database) => void = () => undefined) => [
  writable<R>(
    "name-label",
    (record) => record.nameLabel,
    (record, value, database) => {
      check(record, database);
      record.nameLabel = value;
    },
  ),
  writable<R>(
    "name-description",
    (record) => record.nameDescription,
    (record, value, database) => {
      check(record, database);
      record.nameDescription = value;
    },
  ),
];
const otherConfig = map<Configured>("other-config", (record) => record.otherConfig);
const tags = set<{ tags: string[] }>("tags", (record) => record.tags, { isWritable: true });
const nameOf = (records: readonly { uuid: string; nameLabel: string }[], wanted: string | undefined) =>
  records.find((record) => record.uuid === wanted)?.nameLabel ?? NOT_IN_DATABASE;

/** SM keeps names in the SR: they change only while it is attached. */
function assertAttached(srUuid: string, database: Database): void {
  database.pbdForOperation(database.sr(srUuid));
}

/** Of xapi 25.27 and later. */
const ssh = [
  text<HostRecord>("ssh-enabled-timeout", (record) => String(record.sshEnabledTimeout)),
  text<HostRecord>("ssh-expiry", () => "20261124T12:00:00Z"),
  text<HostRecord>("ssh-auto-mode", (record) => String(record.sshAutoMode)),
].map((field) => ({ ...field, isKnown: ({ sshAutoMode }: HostRecord) => sshAutoMode !== undefined }));

const host: RecordClass<HostRecord> = {
  name: "host",
  records: (database) => database.hosts,
  find: (database, wanted) => database.host(wanted),
  shown: ["uuid", "name-label", "name-description"],
  fields: [
    uuid,
    ...names<HostRecord>(),
    text("enabled", (record) => String(record.enabled)),
    otherConfig,
    text("hostname", (record) => record.nameLabel),
    text("address", (record) => record.address),
    text("host-metrics-live", (record) => String(record.isLive)),
    tags,
    ...ssh,
  ],
};

const sr: RecordClass<SrRecord> = {
  name: "sr",
  records: (database) => database.srs,
  find: (database, wanted) => database.sr(wanted),
  shown: ["uuid", "name-label", "name-description", "host", "type", "content-type"],
  fields: [
    uuid,
    ...names<SrRecord>((record, database) => {
      assertAttached(record.uuid, database);
    }),
    text("host", (record, database) => {
      const [pbd, second] = database.pbdsOf(record.uuid);
      return second ? "<shared>" : nameOf(database.hosts, pbd?.hostUuid);
    }),
    set("VDIs", (record, database) => database.vdisOf(record.uuid).map((vdi) => vdi.uuid)),
    set("PBDs", (record, database) => database.pbdsOf(record.uuid).map((pbd) => pbd.uuid)),
    text("type", (record) => record.type),
    text("content-type", (record) => record.contentType),
    text("shared", (record) => String(record.shared)),
    otherConfig,
    map("sm-config", (record) => record.smConfig, { isWritable: false }),
    tags,
  ],
};

const pbd: RecordClass<PbdRecord> = {
  name: "pbd",
  records: (database) => database.pbds,
  find: (database, wanted) => database.pbd(wanted),
  shown: ["uuid", "host-uuid", "sr-uuid", "device-config", "currently-attached"],
  fields: [
    uuid,
    { ...text<PbdRecord>("host", (record) => record.hostUuid), isDeprecated: true },
    text("host-uuid", (record) => record.hostUuid),
    text("host-name-label", (record, database) => nameOf(database.hosts, record.hostUuid)),
    text("sr-uuid", (record) => record.srUuid),
    text("sr-name-label", (record, database) => nameOf(database.srs, record.srUuid)),
    map("device-config", (record) => record.deviceConfig, { isWritable: false }),
    text("currently-attached", (record) => String(record.currentlyAttached)),
    otherConfig,
  ],
};

const vdi: RecordClass<VdiRecord> = {
  name: "vdi",
  records: (database) => database.vdis,
  find: (database, wanted) => database.vdi(wanted),
  shown: ["uuid", "name-label", "name-description", "virtual-size", "read-only", "sharable", "sr-uuid"],
  fields: [
    uuid,
    ...names<VdiRecord>((record, database) => {
      assertAttached(record.srUuid, database);
    }),
    text("sr-uuid", (record) => record.srUuid),
    text("sr-name-label", (record, database) => nameOf(database.srs, record.srUuid)),
    set("vbd-uuids", (record, database) =>
      database.vbds.filter((vbd) => vbd.vdiUuid === record.uuid).map((vbd) => vbd.uuid),
    ),
    text("virtual-size", (record) => String(record.virtualSize)),
    text("physical-utilisation", (record) => String(record.virtualSize)),
    text("location", (record) => record.location),
    text("type", () => "User"),
    text("sharable", () => "false"),
    text("read-only", (record) => String(record.readOnly)),
    text("managed", () => "true"),
    text("missing", () => "false"),
    text("is-tools-iso", (record) => String(record.isToolsIso)),
    otherConfig,
    tags,
  ],
};

const vbd: RecordClass<VbdRecord> = {
  name: "vbd",
  records: (database) => database.vbds,
  find: (database, wanted) => database.vbd(wanted),
  shown: ["uuid", "vm-uuid", "vm-name-label", "vdi-uuid", "device", "empty"],
  fields: [
    uuid,
    text("vm-uuid", (record) => record.vmUuid),
    text("vm-name-label", (record, database) => nameOf(database.vms, record.vmUuid)),
    text(
      "vdi-uuid",
      (record, database) =>
        database.vdis.find(({ uuid }) => uuid === record.vdiUuid)?.uuid ?? NOT_IN_DATABASE,
    ),
    text("vdi-name-label", (record, database) =>
      record.empty ? "<EMPTY>" : nameOf(database.vdis, record.vdiUuid),
    ),
    set("current-operations", (record) => (record.operation ? [record.operation] : [])),
    text("empty", (record) => String(record.empty)),
    text("device", (record) => record.device),
    writable(
      "userdevice",
      (record) => record.userdevice,
      (record, value) => (record.userdevice = value),
    ),
    writable(
      "bootable",
      (record) => String(record.bootable),
      (record, value) => (record.bootable = value === "true"),
    ),
    text("mode", (record) => record.mode),
    text("type", (record) => record.type),
    writable(
      "unpluggable",
      (record) => String(record.unpluggable),
      (record, value) => (record.unpluggable = value === "true"),
    ),
    text("currently-attached", (record) => String(record.currentlyAttached)),
    otherConfig,
  ],
};

const vm: RecordClass<VmRecord> = {
  name: "vm",
  // vm-list leaves out templates and snapshots, and includes control domains.
  records: (database) => database.vms.filter((record) => !record.isATemplate && !record.isASnapshot),
  find: (database, wanted) => database.vm(wanted),
  shown: ["uuid", "name-label", "power-state"],
  fields: [
    uuid,
    ...names<VmRecord>(),
    text("is-a-template", (record) => String(record.isATemplate)),
    text("is-a-snapshot", (record) => String(record.isASnapshot)),
    text("snapshot-of", (record) => record.snapshotOf ?? NOT_IN_DATABASE),
    text("is-control-domain", (record) => String(record.isControlDomain)),
    text("power-state", (record) => record.powerState),
    text("hvm", (record) => String(record.domainType === "hvm")),
    text("domain-type", (record) => record.domainType),
    text("resident-on", (record) => record.residentOn ?? NOT_IN_DATABASE),
    writable(
      "ha-restart-priority",
      (record) => record.haRestartPriority,
      (record, value, database) => {
        if (value === "restart") database.assertAgile(record);
        record.haRestartPriority = value as VmRecord["haRestartPriority"];
      },
    ),
    otherConfig,
    set("VBDs", (record, database) => database.vbdsOf(record.uuid).map((vbd) => vbd.uuid)),
    tags,
  ],
};

const task: RecordClass<TaskRecord> = {
  name: "task",
  records: (database) => database.tasks,
  find: (database, wanted) => {
    const found = database.tasks.find((record) => record.uuid === wanted);
    if (!found) throw new XapiError("UUID_INVALID", "task", wanted);
    return found;
  },
  shown: ["uuid", "name-label", "name-description", "status", "progress"],
  fields: [
    uuid,
    text("name-label", (record) => record.nameLabel),
    text("name-description", (record) => record.nameDescription),
    text("resident-on", (record) => record.residentOn),
    text("status", (record) => record.status),
    text("progress", (record) => record.progress.toFixed(3)),
  ],
};

const pool: RecordClass<PoolRecord> = {
  name: "pool",
  records: (database) => [database.pool],
  find: (database, wanted) => {
    if (wanted !== database.pool.uuid) throw new XapiError("UUID_INVALID", "pool", wanted);
    return database.pool;
  },
  shown: ["uuid", "name-label", "name-description", "master", "default-SR"],
  fields: [
    uuid,
    ...names<PoolRecord>(),
    text("master", (record) => record.coordinatorUuid),
    text("default-SR", () => NOT_IN_DATABASE),
    text("ha-enabled", (record) => String(record.haEnabled)),
    otherConfig,
    text("ha-enabled", (record) => String(record.haEnabled)),
    tags,
  ],
};

/** The classes that `xe` has list and param commands for here. */
export const CLASSES = { host, sr, pbd, vdi, vbd, vm, task, pool } as const;
