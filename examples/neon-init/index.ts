import * as pulumi from "@pulumi/pulumi";
import { neonInit, XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();
const address = config.require("address");
const gateway = config.require("gateway");
const password = config.requireSecret("nodePassword");

// Runs with bash as root, before there is a network.
const script = pulumi.interpolate`#!/bin/bash
set -euo pipefail

chpasswd <<'END'
sysadmin:${password}
END

rm -f /etc/netplan/*.yaml
cat >/etc/netplan/static.yaml <<'END'
network:
  version: 2
  ethernets:
    eth0:
      addresses: [${address}]
      routes: [{ to: default, via: ${gateway} }]
      nameservers: { addresses: [${gateway}] }
END
chmod 600 /etc/netplan/static.yaml
netplan apply
`;

const disc = new XenTempIso("node-1-init", { files: neonInit(script) });

/** Goes into the node's CD drive before its first boot. */
export const { vdiUuid } = disc;
