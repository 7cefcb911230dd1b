import { expect, test } from "vitest";
import { toJson } from "../../../provider/cli/list";
import { toJson as doctorToJson } from "../../../provider/cli/doctor";
import { driveOf, found } from "./found";

// Programs read these documents: a field may be added, none is renamed, removed or given another meaning.

test("list --json has the documented fields", () => {
  const hostUuid = "7ba98d5b-6d4c-4402-af2e-6de145bc4763";
  const facts = { hostUuid, hostNames: new Map([[hostUuid, "xen1"]]), isHaEnabled: false };
  const json = JSON.parse(
    toJson("xen1:22", { ...facts, tempIsos: [found({ drives: [driveOf("web-1", "running")] })] }),
  );
  expect(json).toMatchObject({
    host: { address: "xen1:22", uuid: hostUuid, name: "xen1", isHaEnabled: false },
    tempIsos: [
      {
        state: "live",
        owner: expect.stringMatching(/^urn:pulumi:/),
        folderUuid: expect.any(String),
        srPath: expect.stringMatching(/^\//),
        isFolderThere: true,
        isoName: "web-1.iso",
        sizeBytes: 40_960,
        ageSeconds: 90,
        isHere: true,
        hostUuid,
        isUnderWay: false,
        srs: [{ uuid: expect.any(String), nameLabel: "web-1", hasPbd: true, isAttached: true }],
        drives: [{ vbdUuid: "vbd-1", vmUuid: "vm-1", vmName: "web-1", powerState: "running" }],
        harm: [],
      },
    ],
  });
});

test("doctor --json has the documented fields", () => {
  const ok = { name: "login", status: "ok", detail: "as root" } as const;
  const failed = { name: "space", status: "failed", detail: "full", advice: "Make room." } as const;
  expect(JSON.parse(doctorToJson("xen1:22", [ok, failed]))).toEqual({
    host: "xen1:22",
    checks: [ok, failed],
  });
});
