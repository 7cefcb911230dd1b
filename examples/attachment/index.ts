import * as pulumi from "@pulumi/pulumi";
import { XenIsoAttachment, XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();

// How to reach the host is in the stack's configuration: xen:host, xen:password, xen:hostKey.
const seed = new XenTempIso("web-1-seed", { isoPath: config.require("isoPath") });

const drive = new XenIsoAttachment("web-1-cd", {
  vmUuid: config.require("vmUuid"),
  vdiUuid: seed.vdiUuid,
});

export const { vdiUuid, vbdUuid, device } = drive;
