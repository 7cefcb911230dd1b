import { Script, sh } from "../ssh/sh";
import { parseRecords, parseUuid, type XeRecord } from "./parse";

/** A call of `xe` as a value: its name, the script that makes it, and how its output is read. */
export interface XeCommand<T> {
  readonly name: string;
  readonly script: Script;
  readonly parse: (stdout: string) => T;
}

/** How an ISO storage repository is made of a folder. */
export interface IsoSr {
  readonly nameLabel: string;
  readonly nameDescription: string;
  /** Absolute folder on the host. */
  readonly location: string;
  /** INSTALLATION_UUID of the host that has the folder, or a variable of the shell that holds it. */
  readonly hostUuid: string | Script;
}

/**
 * Records an ISO SR over a folder, and plugs its PBD on that host. Exit status 0 does not say that the plug
 * succeeded.
 *
 * @see xapi-project/xen-api: ocaml/xapi/xapi_sr.ml
 */
export const srCreate = ({ nameLabel, nameDescription, location, hostUuid }: IsoSr): XeCommand<string> =>
  xe(
    "sr-create",
    {
      "name-label": nameLabel,
      "name-description": nameDescription,
      type: "iso",
      "content-type": "iso",
      "device-config:location": location,
      "device-config:legacy_mode": "true",
      // In a pool of several hosts xapi does not guess which one has the folder.
      "host-uuid": hostUuid,
    },
    parseUuid,
  );

/** Reads the folder and makes the VDI records, now and synchronously. */
export const srScan = (uuid: string | Script) => xe("sr-scan", { uuid }, nothing);

/** Drops the records of an SR, its PBDs and its VDIs; touches no file. Refused while a PBD is plugged. */
export const srForget = (uuid: string) => xe("sr-forget", { uuid }, nothing);

export const srList = (filter: Fields) => list("sr-list", ["uuid", "name-label", "name-description"], filter);

export const pbdList = (filter: Fields) =>
  list("pbd-list", ["uuid", "host-uuid", "sr-uuid", "device-config", "currently-attached"], filter);

export const pbdPlug = (uuid: string | Script) => xe("pbd-plug", { uuid }, nothing);

/** Refused with VDI_IN_USE while a running VM of that host has the disc; does nothing when already unplugged. */
export const pbdUnplug = (uuid: string) => xe("pbd-unplug", { uuid }, nothing);

export const vdiList = (filter: Fields) =>
  list("vdi-list", ["uuid", "name-label", "sr-uuid", "virtual-size", "location"], filter);

/** Includes the drives of snapshots. */
export const vbdList = (filter: Fields) => list("vbd-list", VBD_FIELDS, filter);

/** Makes an empty CD drive in a slot; a running VM sees it from its next start on. */
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

/** What the toolstack is doing, calls whose client is gone among it. */
export const taskList = (filter: Fields) => list("task-list", ["uuid", "name-label", "status"], filter);

/** The fields about SSH are those of xapi 25.27 and later: a host that lacks them prints the others. */
export const hostList = (filter: Fields) =>
  list("host-list", ["uuid", "name-label", "ssh-auto-mode", "ssh-expiry", "ssh-enabled-timeout"], filter);

/** The one pool that a host is in; its `master` is the coordinator. */
export const poolList = () => list("pool-list", ["uuid", "name-label", "master", "ha-enabled"], {});

/** The same list as one line of UUIDs with commas between them, for a script to read. */
export const minimal = ({ name, script }: XeCommand<XeRecord[]>): XeCommand<string> => ({
  name,
  script: sh`${script} --minimal`,
  parse: (stdout) => stdout.trim(),
});

const VBD_FIELDS = [
  ...["uuid", "vm-uuid", "vm-name-label", "vdi-uuid", "vdi-name-label", "userdevice"],
  ...["type", "empty", "currently-attached"],
];

/** Values, or variables of the shell that hold them: quoted as they are to stand in the script. */
type Fields = Readonly<Record<string, string | Script>>;

const nothing = () => undefined;

function list(name: string, fields: readonly string[], filter: Fields): XeCommand<XeRecord[]> {
  return xe(name, { ...filter, params: fields.join(",") }, parseRecords);
}

function xe<T>(name: string, parameters: Fields, parse: (stdout: string) => T): XeCommand<T> {
  const words = Object.entries(parameters).map(([key, value]) => {
    if (value instanceof Script) return sh`${`${key}=`}${value}`;
    // xe joins its arguments with newlines: a newline in a value would add an argument.
    if (/\p{Cc}/u.test(value))
      throw new TypeError(`A control character cannot be given to xe ${name} in ${key}.`);
    return sh`${`${key}=${value}`}`;
  });
  return { name, script: words.reduce((line, word) => sh`${line} ${word}`, sh`xe ${name}`), parse };
}
