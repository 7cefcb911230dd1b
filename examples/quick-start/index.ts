import * as pulumi from "@pulumi/pulumi";
import { XenTempIso } from "pulumi-xen-iso";

// How to reach the host is in the stack's configuration: xen:host, xen:password, xen:hostKey.
const seed = new XenTempIso("web-1-seed", { isoPath: new pulumi.Config().require("isoPath") });

// What a VM resource needs to have the disc in its CD drive.
export const { srUuid, pbdUuid, vdiUuid, isoName } = seed;
