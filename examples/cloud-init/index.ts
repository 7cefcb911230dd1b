import * as pulumi from "@pulumi/pulumi";
import { cloudInit, XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();

const admin = {
  name: "admin",
  sshAuthorizedKeys: [config.require("sshPublicKey")],
  passwordHash: config.requireSecret("passwordHash"),
  sudo: "ALL=(ALL) NOPASSWD:ALL",
};

const addresses = { "web-1": "10.0.0.11", "web-2": "10.0.0.12", "web-3": "10.0.0.13" };

const seeds = Object.entries(addresses).map(([hostname, address]) => {
  const eth0 = {
    addresses: [`${address}/24`],
    routes: [{ to: "0.0.0.0/0", via: "10.0.0.1" }],
    nameservers: { addresses: ["10.0.0.1"] },
  };
  const files = cloudInit({
    hostname,
    users: [admin],
    network: { ethernets: { eth0 } },
    userData: { packages: ["nginx"] },
  });
  return [hostname, new XenTempIso(`${hostname}-seed`, { files })] as const;
});

/** Each goes into the CD drive of the machine of that name. */
export const vdiUuids = Object.fromEntries(seeds.map(([hostname, { vdiUuid }]) => [hostname, vdiUuid]));
