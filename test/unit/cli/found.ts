import type { FoundTempIso } from "../../../provider/host/find-temp-isos";

/** A live temporary ISO, with whatever is said to be different of it. */
export function found(more: Partial<FoundTempIso> = {}): FoundTempIso {
  const folderUuid = more.folderUuid ?? "44468271-9e5b-463e-91d3-bcb67feb3a01";
  return {
    state: "live",
    owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
    folderUuid,
    srPath: `/var/opt/xen-iso/${folderUuid}`,
    isFolderThere: true,
    isoName: "web-1.iso",
    sizeBytes: 40_960,
    ageSeconds: 90,
    isHere: true,
    isReached: true,
    isShared: false,
    hostUuid: "7ba98d5b-6d4c-4402-af2e-6de145bc4763",
    folderHostUuids: ["7ba98d5b-6d4c-4402-af2e-6de145bc4763"],
    lackingHostUuids: [],
    isUnderWay: false,
    srs: [
      { uuid: "d5abd369-a7cf-4c5f-aa1d-9b5736cd09af", nameLabel: "web-1", hasPbd: true, isAttached: true },
    ],
    drives: [],
    ...more,
  };
}

/** Its SR, attached no more. */
export const unattached = { uuid: "sr-1", nameLabel: "web-1", hasPbd: true, isAttached: false };

/** A drive of a VM with the disc in it. */
export const driveOf = (vmName: string, powerState: string | undefined) => ({
  vbdUuid: "vbd-1",
  vmUuid: "vm-1",
  vmName,
  powerState,
});
