import { expect, test } from "vitest";
import { uuidsIn } from "../../../provider/cli/stack-export";

const disc = {
  urn: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
  id: "sr-1",
  outputs: { srUuid: "sr-1", srPath: "/var/opt/xen-iso/folder-1" },
};

test("an export names discs by SR and folder", () => {
  const stack = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev" };
  const named = uuidsIn(JSON.stringify({ version: 3, deployment: { resources: [stack, disc] } }));
  expect([...named]).toEqual(["sr-1", "folder-1"]);
});

test("an export with encrypted outputs names discs by their ids", () => {
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "x" };
  const encrypted = { ...disc, outputs: { srUuid: secret, srPath: secret } };
  expect([...uuidsIn(JSON.stringify({ deployment: { resources: [encrypted] } }))]).toEqual(["sr-1"]);
});

test("a disc whose operation was cut off is named too", () => {
  const pending = [{ type: "deleting", resource: disc }];
  const named = uuidsIn(JSON.stringify({ deployment: { pending_operations: pending } }));
  expect([...named]).toContain("sr-1");
});

test("the export of an empty stack names none", () => {
  expect([...uuidsIn(JSON.stringify({ version: 3, deployment: { manifest: {} } }))]).toEqual([]);
});

test.each(["", "{}", "[]", "null", '{"deployment":null}', "no JSON"])(
  "%j is refused: it names nothing",
  (text) => {
    expect(() => uuidsIn(text)).toThrow();
  },
);
