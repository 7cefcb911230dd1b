import { expect, test } from "vitest";
import { nameDescriptionOf, parseNameDescription } from "../../../provider/host/name-description";

const owner = "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web 1 in folder x";
const folderUuid = "7b84f233-8aa3-468d-b254-fd585194da21";

test("parses what it wrote, whatever the resource's name", () => {
  expect(parseNameDescription(nameDescriptionOf(owner, folderUuid))).toEqual({ owner, folderUuid });
});

test.each(["", "ISO library", `Temporary ISO of ${owner} in folder home (pulumi-xen-iso)`])(
  "does not take %j for ours",
  (text) => expect(parseNameDescription(text)).toBeUndefined(),
);
