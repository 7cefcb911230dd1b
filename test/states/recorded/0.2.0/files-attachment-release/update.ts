import * as pulumi from "@pulumi/pulumi";
import { cloudInit, ConnectionArgs, XenIsoAttachment, XenIsoRelease, XenTempIso, XenTempIsoArgs } from "pulumi-xen-iso";

const config = new pulumi.Config();
const files = { "user-data": pulumi.secret("#cloud-config\n"), "meta-data": "instance-id: a\n", "bin/x": { base64: "AAEC" }, "big.txt": { path: "./big.txt" } };
const args: XenTempIsoArgs = { files, volumeLabel: "cidata", once: true, connection: { dialErrorLimit: 4 } };
const seed = new XenTempIso("web-1-seed", args);
const drive = new XenIsoAttachment("web-1-cd", { vmUuid: config.require("vmUuid"), vdiUuid: seed.vdiUuid, once: true });
const release = new XenIsoRelease("web-1-release", { srUuid: seed.srUuid, after: drive.vbdUuid });
export const { vdiUuid, srUuid, status } = seed;
export const vbdUuid = drive.vbdUuid;
