import { expect, test } from "vitest";
import { harmOf } from "../../../provider/cli/corpse";
import { driveOf, found, unattached } from "./found";

const corpse = { state: "corpse", srs: [unattached] } as const;

test("a live disc does no harm", () => {
  expect(harmOf(found({ drives: [driveOf("web-1", "halted")] }), { isHaEnabled: true })).toEqual([]);
});

test.each([
  [true, /^HA is on/],
  [false, /^if HA is switched on/],
])("an SR without its folder, HA on: %s", (isHaEnabled, first) => {
  const [ha, attach, ...more] = harmOf(found({ ...corpse, isFolderThere: false }), { isHaEnabled });
  expect(ha).toMatch(first);
  expect(attach).toContain("raises an alert");
  expect(more).toEqual([]);
});

test("an SR with its folder can be attached again", () => {
  expect(harmOf(found({ ...corpse }), { isHaEnabled: true })).toEqual([
    "it is not attached until the next toolstack start, or `xe pbd-plug`",
  ]);
});

test.each([
  ["halted", ["VM web-1 does not start: its drive names the disc"]],
  ["suspended", ["VM web-1 does not resume: its drive names the disc"]],
  ["running", []],
])("a drive of a VM that is %s", (powerState, expected) => {
  const drives = [driveOf("web-1", powerState)];
  expect(harmOf(found({ state: "corpse", srs: [], drives }), { isHaEnabled: false })).toEqual(expected);
});
