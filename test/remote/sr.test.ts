import { expect, test } from "vitest";
import { EXIT } from "../../provider/host/protocol";
import { PBD, RemoteHost, sh, SR, VDI } from "./host";

const noSleep = "sleep() { SECONDS=$((SECONDS + 25)); }";

/** An xe whose SR is as it should be. */
const WELL = { "sr-scan": ":", "pbd-list": `echo ${PBD}`, "vdi-list": `echo ${VDI}` };

const find = (host: RemoteHost) => host.run(sh`find_disc ${SR} web.iso`, { before: noSleep });

test("sr-create gets its words, and its UUID is found beside an empty line", () => {
  using host = new RemoteHost();
  host.xe({ "sr-create": `echo ${SR}; echo` });
  const { stdout } = host.run(sh`make_sr xe sr-create ${"name-label=a 'b'"}`, { after: 'echo "$REPLY"' });
  expect(stdout).toBe(`step=sr\n${SR}\n`);
  expect(host.calls).toEqual(["sr-create name-label=a 'b'"]);
});

test("sr-create that prints no UUID has failed", () => {
  using host = new RemoteHost();
  host.xe({ "sr-create": "echo nonsense" });
  expect(host.run(sh`make_sr xe sr-create`)).toMatchObject({ status: EXIT.xeFailed, stderr: "nonsense\n" });
});

test("finds PBD and VDI with one scan", () => {
  using host = new RemoteHost();
  host.xe(WELL);
  expect(find(host)).toMatchObject({ status: 0, stdout: `sr=${SR}\npbd=${PBD}\nvdi=${VDI}\n` });
  expect(host.calls).toHaveLength(3);
});

test("scans again for a VDI that comes late", () => {
  using host = new RemoteHost();
  host.xe({ ...WELL, "vdi-list": `[ $(grep -c sr-scan ${host.path("calls")}) -lt 3 ] || echo ${VDI}` });
  expect(find(host)).toMatchObject({
    status: 0,
    stdout: `attempt=2\nattempt=3\nsr=${SR}\npbd=${PBD}\nvdi=${VDI}\n`,
  });
});

test("plugs a PBD that was left unplugged, once", () => {
  using host = new RemoteHost();
  const isPlugged = `[ -e ${host.path("plugged")} ]`;
  host.xe({
    "sr-scan": `${isPlugged} || { echo 'The SR has no attached PBDs'; exit 1; }`,
    "pbd-list": `case $* in *currently-attached*) ${isPlugged} || exit 0 ;; esac; echo ${PBD}`,
    "pbd-plug": `touch ${host.path("plugged")}`,
    "vdi-list": `! ${isPlugged} || echo ${VDI}`,
  });
  expect(find(host).stdout).toBe(`sr=${SR}\npbd=${PBD}\nvdi=${VDI}\n`);
  expect(host.calls.filter((call) => call.startsWith("pbd-plug"))).toEqual([`pbd-plug uuid=${PBD}`]);
});

test("says what did not come within a minute", () => {
  using host = new RemoteHost();
  host.xe({ ...WELL, "vdi-list": ":" });
  const { status, stdout } = find(host);
  expect(status).toBe(EXIT.xeFailed);
  expect(stdout).toMatch(new RegExp(`\\nmissing=PBD ${PBD}, VDI \\n$`));
});

test.each(["sr-scan", "pbd-list", "vdi-list"])("a failure of %s is told in its own words", (command) => {
  using host = new RemoteHost();
  host.xe({ ...WELL, [command]: "echo 'Error code: INTERNAL_ERROR'; exit 1" });
  expect(find(host)).toEqual({
    status: EXIT.xeFailed,
    stdout: `failed=${command}\n`,
    stderr: "Error code: INTERNAL_ERROR\n",
  });
});

test("forgets an SR whose disc is in no drive, and no other", () => {
  using host = new RemoteHost();
  const forget = () => host.run(sh`forget_unused_sr ${SR} ${PBD} ${VDI}`).status;
  host.xe({ "vbd-list": ":" });
  expect(forget()).toBe(0);
  expect(host.calls.slice(1)).toEqual([`pbd-unplug uuid=${PBD}`, `sr-forget uuid=${SR}`]);
  host.xe({ "vbd-list": "echo drive" });
  expect(forget()).not.toBe(0);
  host.xe({ "vbd-list": "exit 1" });
  expect(forget()).not.toBe(0);
  host.xe({ "vbd-list": ":", "pbd-unplug": "exit 1" });
  expect(forget()).not.toBe(0);
  expect(host.calls.filter((call) => call.startsWith("sr-forget"))).toHaveLength(1);
});
