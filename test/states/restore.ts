import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { StateResource, StackState } from "../engine/stack";
import type { SimulatedPool } from "../simulator";

/** The outputs of a `XenTempIso`, as far as a host shows them. */
interface DiscOutputs {
  readonly owner: string;
  readonly srUuid: string;
  readonly pbdUuid: string;
  readonly vdiUuid: string;
  readonly srName: string;
  readonly srPath: string;
  readonly isoName: string;
  readonly isoSha256: string;
}

/** The outputs of a `XenIsoAttachment`, as far as a host shows them. */
interface AttachmentOutputs {
  readonly vmUuid: string;
  readonly vbdUuid: string;
  readonly vdiUuid: string;
  readonly device: string;
}

/**
 * Brings the first host of an empty pool to the state in which a release left it: every disc of the stack that was not
 * released, and the VMs that it gave them to.
 */
export function restoreHost(pool: SimulatedPool, state: StackState, image: Uint8Array): void {
  const released = new Set(outputsOf<{ srUuid: string }>(state, "IsoRelease").map(({ srUuid }) => srUuid));
  const discs = outputsOf<DiscOutputs>(state, "TempIso").filter(({ srUuid }) => !released.has(srUuid));
  for (const disc of discs) placeDisc(pool, disc, image);
  for (const attachment of outputsOf<AttachmentOutputs>(state, "IsoAttachment"))
    placeVm(pool, attachment, { isInserted: discs.some(({ vdiUuid }) => vdiUuid === attachment.vdiUuid) });
}

function outputsOf<Outputs>({ deployment }: StackState, type: string): Outputs[] {
  const types = [`pulumi-nodejs:dynamic/xen:${type}`, `xen:index:${type}`];
  const isOfType = (resource: StateResource) => types.includes(resource.type);
  return (deployment.resources ?? []).filter(isOfType).map(({ outputs }) => outputs as Outputs);
}

function placeDisc({ xapi, coordinator }: SimulatedPool, disc: DiscOutputs, image: Uint8Array): void {
  const { owner, srUuid, srName, srPath, isoName, isoSha256 } = disc;
  const folderUuid = srPath.slice(srPath.lastIndexOf("/") + 1);
  const folder = coordinator.path(srPath);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, isoName), image, { mode: 0o600 });
  writeFileSync(join(folder, "image"), `${isoSha256}\n${image.length}\n${isoName}\nsr\n`, { mode: 0o600 });
  const plain = { nameDescription: "", otherConfig: {}, tags: [] };
  xapi.srs.push({
    ...plain,
    uuid: srUuid,
    nameLabel: srName,
    nameDescription: `Temporary ISO of ${owner} in folder ${folderUuid} (pulumi-xen-iso)`,
    type: "iso",
    contentType: "iso",
    shared: false,
    smConfig: {},
  });
  xapi.pbds.push({
    uuid: disc.pbdUuid,
    hostUuid: coordinator.uuid,
    srUuid,
    deviceConfig: { location: srPath, legacy_mode: "true" },
    currentlyAttached: true,
    otherConfig: {},
  });
  xapi.vdis.push({
    ...plain,
    uuid: disc.vdiUuid,
    nameLabel: isoName,
    srUuid,
    virtualSize: image.length,
    location: isoName,
    readOnly: true,
    isToolsIso: false,
  });
}

function placeVm(
  { xapi }: SimulatedPool,
  { vmUuid, vbdUuid, vdiUuid, device }: AttachmentOutputs,
  { isInserted }: { isInserted: boolean },
): void {
  const { vm, drives } = xapi.addVm({
    name: "web-1",
    powerState: "running",
    drives: [{ userdevice: device }],
  });
  const held = isInserted ? { vdiUuid, empty: false } : {};
  // The records were just made with UUIDs of their own.
  xapi.vms.splice(xapi.vms.indexOf(vm), 1, { ...vm, uuid: vmUuid });
  for (const drive of drives)
    xapi.vbds.splice(xapi.vbds.indexOf(drive), 1, { ...drive, ...held, uuid: vbdUuid, vmUuid });
}
