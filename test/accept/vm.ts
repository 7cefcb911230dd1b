import assert from "node:assert/strict";
import { vbdList, vmList, type XeCommand } from "../../provider/xe/commands";
import { runXe } from "../../provider/xe/run";
import type { Site } from "./site";

const vbdInsert = (vbdUuid: string, vdiUuid: string): XeCommand<undefined> => ({
  name: "vbd-insert",
  words: ["xe", "vbd-insert", `uuid=${vbdUuid}`, `vdi-uuid=${vdiUuid}`],
  parse: () => undefined,
});

/** The VM that the run was given has the disc in its drive when it is deleted. */
export async function ejectedByDelete(site: Site): Promise<void> {
  const drive = await findEmptyDrive(site, site.start.vmUuid ?? "");
  const disc = await site.create();
  // Once: a second insert would find the drive taken.
  await runXe(site.start.host, vbdInsert(drive, disc.vdiUuid ?? ""));
  const [holder] = await site.xe(vbdList({ "vdi-uuid": disc.vdiUuid ?? "" }));
  assert.equal(holder?.["uuid"], drive, "the drive with the disc in it");
  await site.remove(disc);
  const [emptied] = await site.xe(vbdList({ uuid: drive }));
  assert.equal(emptied?.["empty"], "true", "whether the drive is empty after the delete");
}

/**
 * The VM's empty CD drive.
 *
 * @throws Error when there is no such VM, it is neither halted nor running, or it has no empty drive
 */
export async function findEmptyDrive(site: Site, vmUuid: string): Promise<string> {
  const [vm] = await site.xe(vmList({ uuid: vmUuid }));
  if (!vm) throw new Error(`There is no VM ${vmUuid} on this host; see \`xe vm-list\` for --vm.`);
  const powerState = vm["power-state"] ?? "";
  if (!["halted", "running"].includes(powerState))
    throw new Error(`The VM of --vm is ${powerState}; it has to be halted or running.`);
  const drives = await site.xe(vbdList({ "vm-uuid": vmUuid, type: "CD" }));
  const drive = drives.find(({ empty }) => empty === "true")?.["uuid"];
  if (drive === undefined) throw new Error("The VM of --vm has no empty CD drive.");
  return drive;
}
