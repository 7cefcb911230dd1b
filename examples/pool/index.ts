import * as pulumi from "@pulumi/pulumi";
import { XenTempIso } from "pulumi-xen-iso";

/** What differs from host to host; user, password and the rest come from the configuration's `xen:…`. */
interface Host {
  address: string;
  port?: number;
  hostKey: string;
}

const config = new pulumi.Config();
const isoPath = config.require("isoPath");
const hosts = config.requireObject<Record<string, Host>>("hosts");

const discs = Object.entries(hosts).map(([name, { address, port, hostKey }]) => {
  const connection = { host: address, port, hostKey };
  return [name, new XenTempIso(`${name}-disc`, { isoPath, connection })] as const;
});

/** For each host the disc that VMs there can have. */
export const vdiUuids = Object.fromEntries(discs.map(([name, { vdiUuid }]) => [name, vdiUuid]));
