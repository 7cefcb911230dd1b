import { expect, test } from "vitest";
import { addVm, drivesOf } from "../host/drive";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { startExample } from "./examples";

const files = (hostname: string) => ({ "user-data": `#cloud-config\nhostname: ${hostname}\n` });

test("a VM's drive holds the disc, then another one in the same drive, then none", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { vm, drive } = addVm(pool, { powerState: "running" });
  await using example = await startExample("attachment", pool.coordinator, { vmUuid: vm.uuid });
  const { stack } = example;
  await example.write(files("web-1"));

  // A failure that cannot be undone is stored, and the next up begins anew.
  const effect = {
    kind: "fail",
    code: "SR_BACKEND_FAILURE_46",
    params: ["", "The VDI is not available", ""],
  };
  pool.xapi.faults.push({ command: "vbd-insert", effect: effect as never });
  pool.xapi.faults.push({ command: "vm-list", skip: 1, effect: effect as never });
  expect((await stack.up({ expectFailure: true })).output).toMatch(
    /xe vbd-insert failed .*Could not be undone: what was done to CD drive 3 of VM web-1/s,
  );
  expect((await stack.up()).output).toMatch(/\+- ?1 replaced/);
  const first = await stack.outputs();
  expect(first).toMatchObject({ vbdUuid: drive?.uuid, device: "3" });
  expect(drive).toMatchObject({ vdiUuid: first["vdiUuid"], currentlyAttached: true });

  await example.write(files("web-2"));
  expect((await stack.preview()).output).toMatch(/~ 1 to update\s+\+-1 to replace/);
  await stack.up();
  const second = await stack.outputs();
  expect(second).toMatchObject({ vbdUuid: drive?.uuid, device: "3" });
  expect(second["vdiUuid"]).not.toBe(first["vdiUuid"]);
  expect(pool.xapi.vdis.map(({ uuid }) => uuid)).toEqual([second["vdiUuid"]]);
  expect(drive).toMatchObject({ vdiUuid: second["vdiUuid"], currentlyAttached: true });

  // Taken out by hand, it is found missing and put back.
  Object.assign(drive!, { vdiUuid: undefined, empty: true });
  expect((await stack.refresh()).output).toContain("~ 1 updated");
  expect((await stack.up()).output).toContain("~ 1 updated");
  expect(drive).toMatchObject({ vdiUuid: second["vdiUuid"] });

  await stack.destroy();
  expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  expect(await pool.leftovers()).toEqual(nothing);
});
