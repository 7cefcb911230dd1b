import { expect, test } from "vitest";
import * as commands from "../../../provider/xe/commands";

const { srCreate } = commands;
const sr = { nameLabel: "a 'b' $c", nameDescription: "d", location: "/x/1" };

test("is the words of a command line, each argument one of them", () => {
  const { name, words } = srCreate(sr);
  expect(name).toBe("sr-create");
  expect(words).toEqual([
    ...["xe", "sr-create", "name-label=a 'b' $c", "name-description=d", "type=iso", "content-type=iso"],
    ...["device-config:location=/x/1", "device-config:legacy_mode=true"],
  ]);
  expect(srCreate({ ...sr, isShared: true }).words.slice(words.length)).toEqual(["shared=true"]);
});

test.each<[commands.XeCommand<unknown>, string]>([
  [commands.srScan("u"), "sr-scan uuid=u"],
  [commands.srForget("u"), "sr-forget uuid=u"],
  [commands.srSetDescription("u", "d"), "sr-param-set uuid=u name-description=d"],
  [commands.pbdPlug("u"), "pbd-plug uuid=u"],
  [commands.pbdUnplug("u"), "pbd-unplug uuid=u"],
  [commands.vbdCreate({ vmUuid: "v", device: "3" }), "vbd-create vm-uuid=v device=3 type=CD mode=RO"],
  [commands.vbdDestroy("u"), "vbd-destroy uuid=u"],
  [commands.vbdInsert({ vbdUuid: "u", vdiUuid: "v" }), "vbd-insert uuid=u vdi-uuid=v"],
  [commands.vbdEject("u"), "vbd-eject uuid=u"],
  [commands.vmNote("u", "key", "text"), "vm-param-set uuid=u other-config:key=text"],
  [commands.vmForget("u", "key"), "vm-param-remove uuid=u param-name=other-config param-key=key"],
])("%j", ({ name, words }, line) => {
  expect(["xe", line]).toEqual([words[0], words.slice(1).join(" ")]);
  expect(name).toBe(words[1]);
});

test.each<[commands.XeCommand<unknown>, string]>([
  [commands.srList({ uuid: "u" }), "sr-list uuid=u params=uuid,name-label,name-description,shared"],
  [
    commands.pbdList({ "sr-uuid": "s" }),
    "pbd-list sr-uuid=s params=uuid,host-uuid,sr-uuid,device-config,currently-attached",
  ],
  [commands.vdiList({}), "vdi-list params=uuid,name-label,sr-uuid,virtual-size,location"],
  [
    commands.vbdList({ "vdi-uuid": "v" }),
    "vbd-list vdi-uuid=v params=uuid,vm-uuid,vm-name-label,vdi-uuid,vdi-name-label,userdevice,type,empty,currently-attached",
  ],
  [commands.vmList({}), "vm-list params=uuid,name-label,power-state"],
  [commands.vmNotes("u"), "vm-list uuid=u params=uuid,name-label,power-state,other-config"],
  [commands.taskList({ status: "pending" }), "task-list status=pending params=uuid,name-label,status"],
  [
    commands.hostList({}),
    "host-list params=uuid,name-label,enabled,address,host-metrics-live,ssh-auto-mode,ssh-expiry,ssh-enabled-timeout",
  ],
  [commands.poolList(), "pool-list params=uuid,name-label,master,ha-enabled"],
])("a list names its fields after its filter: %#", ({ words, parse }, line) => {
  expect(words.slice(1).join(" ")).toBe(line);
  expect(parse("uuid ( RO) : u\n")).toEqual([{ uuid: "u" }]);
});

test.each(["\n", "\r", "\x00", "\x1b"])("refuses a value with %j, which xe would split", (character) => {
  const make = () => srCreate({ ...sr, nameLabel: `a${character}server=x` });
  expect(make).toThrow("xe sr-create: name-label must not contain control characters.");
});
