import * as pulumi from "@pulumi/pulumi";
import { XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();

const seed = new XenTempIso("web-1-seed", {
  connection: {
    host: config.require("host"),
    port: config.getNumber("port"),
    password: config.requireSecret("password"),
    hostKey: config.require("hostKey"),
  },
  isoPath: config.require("isoPath"),
});

// What a VM resource needs to have the disc in its CD drive.
export const { srUuid, pbdUuid, vdiUuid, isoName } = seed;
