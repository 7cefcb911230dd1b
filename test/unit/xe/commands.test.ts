import { expect, test } from "vitest";
import { srCreate, vbdList } from "../../../provider/xe/commands";

const sr = { nameLabel: "a 'b' $c", nameDescription: "d", location: "/x/1" };

test("is the words of a command line, each argument one of them", () => {
  expect(srCreate(sr).words).toEqual([
    ...["xe", "sr-create", "name-label=a 'b' $c", "name-description=d", "type=iso", "content-type=iso"],
    ...["device-config:location=/x/1", "device-config:legacy_mode=true"],
  ]);
});

test("a list names its fields after its filter", () => {
  expect(vbdList({ "vdi-uuid": "v" }).words.join(" ")).toMatch(/^xe vbd-list vdi-uuid=v params=uuid,/);
});

test.each(["\n", "\r", "\x00", "\x1b"])("refuses a value with %j, which xe would split", (character) => {
  expect(() => srCreate({ ...sr, nameLabel: `a${character}server=x` })).toThrow(/name-label/);
});
