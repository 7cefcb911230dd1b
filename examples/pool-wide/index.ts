import * as pulumi from "@pulumi/pulumi";
import { XenIsoAttachment, XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();
const isoPath = config.require("isoPath");
const vmUuid = config.require("vmUuid");
/** The key of each host of the pool, by its name there. */
const hostKeys = config.requireObject<Record<string, string>>("hostKeys");

// One host of the pool is enough (`xen:host`): it knows the others.
const disc = new XenTempIso("web-1-disc", {
  poolWide: true,
  isoPath,
  hostConnections: Object.fromEntries(Object.entries(hostKeys).map(([name, hostKey]) => [name, { hostKey }])),
});

// With this disc in its drive, the VM starts on any host, migrates, and can be protected by HA.
new XenIsoAttachment("web-1-cd", { vmUuid, vdiUuid: disc.vdiUuid });

export const { vdiUuid, status, hosts } = disc;
