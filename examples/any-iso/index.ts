// The program of the repository's own Pulumi.yaml: any ISO image on any host, both from the configuration.
import { resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { XenTempIso } from "pulumi-xen-iso";

const root = resolve(__dirname, "../..");
const isoPath = new pulumi.Config().require("isoPath");

const iso = new XenTempIso("iso", { isoPath: resolve(root, isoPath) });

export const { srUuid, pbdUuid, vdiUuid, isoName } = iso;
