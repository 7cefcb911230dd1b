import { expect, test } from "vitest";
import { discsIn } from "../../../provider/cli/stack-export";

const disc = {
  urn: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
  id: "sr-1",
  outputs: { srUuid: "sr-1", srPath: "/var/opt/xen-iso/folder-1" },
};

test("an export names discs by SR and folder", () => {
  const stack = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev" };
  const { held } = discsIn(JSON.stringify({ version: 3, deployment: { resources: [stack, disc] } }));
  expect([...held]).toEqual(["sr-1", "folder-1"]);
});

test("an export with encrypted outputs names discs by their ids", () => {
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "x" };
  const encrypted = { ...disc, outputs: { srUuid: secret, srPath: secret } };
  expect([...discsIn(JSON.stringify({ deployment: { resources: [encrypted] } })).held]).toEqual(["sr-1"]);
});

test("a disc whose operation was cut off is named too", () => {
  const pending = [{ type: "deleting", resource: disc }];
  const { held } = discsIn(JSON.stringify({ deployment: { pending_operations: pending } }));
  expect([...held]).toContain("sr-1");
});

test("a disc whose create was cut off is named by its nonce, and not held", () => {
  const pending = [{ type: "creating", resource: { urn: disc.urn, inputs: { nonce: "folder-1" } } }];
  const { held, unfinished } = discsIn(JSON.stringify({ deployment: { pending_operations: pending } }));
  expect([[...held], [...unfinished]]).toEqual([[], ["folder-1"]]);
});

test("the export of an empty stack names none", () => {
  const { held, unfinished } = discsIn(JSON.stringify({ version: 3, deployment: { manifest: {} } }));
  expect([held.size, unfinished.size]).toEqual([0, 0]);
});

test.each(["", "{}", "[]", "null", '{"deployment":null}', "no JSON"])(
  "%j is refused: it names nothing",
  (text) => {
    expect(() => discsIn(text)).toThrow();
  },
);
