import { parseRecords, parseUuid, type XeRecord } from "./parse";

/** A call of `xe` as a value: its name, its words, and how its output is read. */
export interface XeCommand<T> {
  readonly name: string;
  /** The command line: `xe`, the name, then one `key=value` per argument. */
  readonly words: readonly string[];
  readonly parse: (stdout: string) => T;
}

/** An ISO storage repository to be made from a folder. */
export interface IsoSr {
  readonly nameLabel: string;
  readonly nameDescription: string;
  /** Absolute folder on the host. */
  readonly location: string;
  /** Every host of the pool has the folder, and gets a PBD. */
  readonly isShared?: boolean;
}

/**
 * Records an ISO SR over a folder, and plugs its PBD. Exit status 0 does not say that the plug succeeded. Incomplete:
 * in a pool, xapi does not guess which host has the folder, so the host that has it adds `host-uuid=`. A shared SR
 * needs no such host.
 *
 * @see xapi-project/xen-api: ocaml/xapi/xapi_sr.ml
 */
export const srCreate = ({ nameLabel, nameDescription, location, isShared }: IsoSr): XeCommand<string> =>
  xe(
    "sr-create",
    {
      "name-label": nameLabel,
      "name-description": nameDescription,
      type: "iso",
      "content-type": "iso",
      "device-config:location": location,
      "device-config:legacy_mode": "true",
      ...(isShared && { shared: "true" }),
    },
    parseUuid,
  );

/** Reads the folder and creates the VDI records. For a shared SR it reads the coordinator's folder. */
export const srScan = (uuid: string) => xe("sr-scan", { uuid }, nothing);

/** Drops the records of an SR, its PBDs and its VDIs; touches no file. Refused while a PBD is plugged. */
export const srForget = (uuid: string) => xe("sr-forget", { uuid }, nothing);

/** Refused with SR_NO_PBDS while no PBD is plugged. */
export const srSetDescription = (uuid: string, text: string) =>
  xe("sr-param-set", { uuid, "name-description": text }, nothing);

export const srList = (filter: Fields) =>
  list("sr-list", ["uuid", "name-label", "name-description", "shared"], filter);

export const pbdList = (filter: Fields) =>
  list("pbd-list", ["uuid", "host-uuid", "sr-uuid", "device-config", "currently-attached"], filter);

/** Does nothing when already plugged. */
export const pbdPlug = (uuid: string) => xe("pbd-plug", { uuid }, nothing);

/** Refused with VDI_IN_USE while a running VM of that host has the disc; does nothing when already unplugged. */
export const pbdUnplug = (uuid: string) => xe("pbd-unplug", { uuid }, nothing);

export const vdiList = (filter: Fields) =>
  list("vdi-list", ["uuid", "name-label", "sr-uuid", "virtual-size", "location"], filter);

/** Includes the drives of snapshots. */
export const vbdList = (filter: Fields) => list("vbd-list", VBD_FIELDS, filter);

/** Makes an empty CD drive in a slot. A running VM sees it after its next start. */
export const vbdCreate = ({ vmUuid, device }: { vmUuid: string; device: string }) =>
  xe("vbd-create", { "vm-uuid": vmUuid, device, type: "CD", mode: "RO" }, parseUuid);

/** Refused while the VM that has the drive runs. */
export const vbdDestroy = (uuid: string) => xe("vbd-destroy", { uuid }, nothing);

/** Refused with VBD_NOT_EMPTY when there is a disc in the drive, with VM_BAD_POWER_STATE in a suspended VM. */
export const vbdInsert = ({ vbdUuid, vdiUuid }: { vbdUuid: string; vdiUuid: string }) =>
  xe("vbd-insert", { uuid: vbdUuid, "vdi-uuid": vdiUuid }, nothing);

export const vbdEject = (uuid: string) => xe("vbd-eject", { uuid }, nothing);

/** Leaves out snapshots and templates. */
export const vmList = (filter: Fields) => list("vm-list", ["uuid", "name-label", "power-state"], filter);

/** One VM with its other-config: `key: value; key: value`. */
export const vmNotes = (uuid: string) =>
  list("vm-list", ["uuid", "name-label", "power-state", "other-config"], { uuid });

/** Sets one key of a VM's other-config. */
export const vmNote = (uuid: string, key: string, text: string) =>
  xe("vm-param-set", { uuid, [`other-config:${key}`]: text }, nothing);

/** Removes one key of a VM's other-config; fails if it is not there. */
export const vmForget = (uuid: string, key: string) =>
  xe("vm-param-remove", { uuid, "param-name": "other-config", "param-key": key }, nothing);

/** The toolstack's tasks, including calls whose client is gone. */
export const taskList = (filter: Fields) => list("task-list", ["uuid", "name-label", "status"], filter);

/** The fields about SSH are those of xapi 25.27 and later: a host that lacks them prints the others. */
export const hostList = (filter: Fields) => list("host-list", HOST_FIELDS, filter);

/** The one pool that a host is in; its `master` is the coordinator. */
export const poolList = () => list("pool-list", ["uuid", "name-label", "master", "ha-enabled"], {});

const HOST_FIELDS = [
  ...["uuid", "name-label", "enabled", "address", "host-metrics-live"],
  ...["ssh-auto-mode", "ssh-expiry", "ssh-enabled-timeout"],
];

const VBD_FIELDS = [
  ...["uuid", "vm-uuid", "vm-name-label", "vdi-uuid", "vdi-name-label", "userdevice"],
  ...["type", "empty", "currently-attached"],
];

type Fields = Readonly<Record<string, string>>;

const nothing = () => undefined;

function list(name: string, fields: readonly string[], filter: Fields): XeCommand<XeRecord[]> {
  return xe(name, { ...filter, params: fields.join(",") }, parseRecords);
}

function xe<T>(name: string, parameters: Fields, parse: (stdout: string) => T): XeCommand<T> {
  const words = Object.entries(parameters).map(([key, value]) => {
    // xe joins its arguments with newlines: a newline in a value would add an argument.
    if (/\p{Cc}/u.test(value)) throw new TypeError(`xe ${name}: ${key} must not contain control characters.`);
    return `${key}=${value}`;
  });
  return { name, words: ["xe", name, ...words], parse };
}
