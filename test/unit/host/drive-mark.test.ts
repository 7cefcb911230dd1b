import { expect, test } from "vitest";
import { ownerOf, parseMarks } from "../../../provider/host/drive-mark";

const vbdUuid = "7b84f233-8aa3-468d-b254-fd585194da21";
const vdiUuid = "0f6c0a3e-6f0e-4c57-9d3c-2b1f4d5a7e90";
const owner = ownerOf("urn:pulumi:dev::shop::xen:index:IsoAttachment::web; 1: a");

test("reads the marks among other entries of other-config", () => {
  const other = `base_template_name: Debian; pulumi-xen-iso-drive-3: ${owner} ${vbdUuid} found ${vdiUuid}; pulumi-xen-iso-drive-2: ${owner} new made none; x: y`;
  expect([...parseMarks({ "other-config": other })]).toEqual([
    ["3", { owner, vbdUuid, isMade: false, replacedVdiUuid: vdiUuid }],
    ["2", { owner, isMade: true }],
  ]);
});

test.each(["", "a: pulumi-xen-iso-drive-3: x", "pulumi-xen-iso-drive-3: x"])(
  "reads no mark in %j",
  (other) => {
    expect(parseMarks({ "other-config": other }).size).toBe(0);
  },
);

test("an owner is a word, whatever is in the URN", () => {
  expect(owner).toMatch(/^[0-9a-f]{16}$/);
});
