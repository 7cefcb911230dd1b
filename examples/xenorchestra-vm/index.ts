import * as pulumi from "@pulumi/pulumi";
import * as xenorchestra from "@vates/pulumi-xenorchestra";
import { XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();
const GIB = 1024 ** 3;

// The host comes from the configuration: xen:host, xen:password, xen:hostKey.
const seed = new XenTempIso("web-1-seed", { isoPath: config.require("isoPath") });

const template = xenorchestra.getXoaTemplateOutput({ nameLabel: config.require("template") });
const network = xenorchestra.getXoaNetworkOutput({ nameLabel: config.require("network") });
const storage = xenorchestra.getXoaStorageRepositoryOutput({ nameLabel: config.require("storage") });

const vm = new xenorchestra.Vm("web-1", {
  nameLabel: "web-1",
  template: template.id,
  cpus: 2,
  memoryMax: 2 * GIB,
  networks: [{ networkId: network.id }],
  disks: [{ nameLabel: "web-1-root", srId: storage.id, size: 20 * GIB }],
  cdrom: { id: seed.vdiUuid },
  // The disc is on this host alone.
  affinityHost: seed.hostUuid,
});

export const vmUuid = vm.id;
export const { vdiUuid } = seed;
