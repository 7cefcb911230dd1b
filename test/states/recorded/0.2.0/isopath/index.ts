import * as pulumi from "@pulumi/pulumi";
import { XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();

const seed = new XenTempIso("web-1-seed", {
  connection: {
    host: "127.0.0.1",
    port: 33093,
    password: config.requireSecret("xenPassword"),
    hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKKr7CURudR+7LdRRmmeOTrrwIenkMxr0sbuHGvk9yMY", // the first line of `ssh-keyscan -t ed25519 xen1.example.net`, compared with the host's console
  },
  isoPath: "./web-1.iso",
});

export const vdiUuid = seed.vdiUuid; // goes into the VM's CD drive: cdrom: { id: seed.vdiUuid }
