import { expect, test } from "vitest";
import { srCreate, vbdList } from "../../../provider/xe/commands";

const sr = { nameLabel: "a 'b' $c", nameDescription: "d", location: "/x/1", hostUuid: "h" };

test("a call is one shell command with every argument quoted", () => {
  expect(srCreate(sr).script.text).toBe(
    "xe 'sr-create' 'name-label=a '\\''b'\\'' $c' 'name-description=d' 'type=iso' 'content-type=iso' " +
      "'device-config:location=/x/1' 'device-config:legacy_mode=true' 'host-uuid=h'",
  );
});

test("a list names its fields after its filter", () => {
  expect(vbdList({ "vdi-uuid": "v" }).script.text).toMatch(/^xe 'vbd-list' 'vdi-uuid=v' 'params=uuid,/);
});

test.each(["\n", "\r", "\x00", "\x1b"])(
  "a value with %j is refused, because xe would split it",
  (character) => {
    expect(() => srCreate({ ...sr, nameLabel: `a${character}server=x` })).toThrow(/name-label/);
  },
);
