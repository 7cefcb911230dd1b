import { expect, test } from "vitest";
import { toJson, toText } from "../../../provider/cli/list";
import type { FoundTempIso } from "../../../provider/host/find-temp-isos";
import { driveOf, found, unattached } from "./found";

const hostUuid = "7ba98d5b-6d4c-4402-af2e-6de145bc4763";

const on = (tempIsos: readonly FoundTempIso[], isHaEnabled = false) => ({
  hostUuid,
  hostNames: new Map([
    [hostUuid, "xen1"],
    ["host-2", "xen2"],
  ]),
  isHaEnabled,
  tempIsos,
});

const corpse = found({
  state: "corpse",
  isFolderThere: false,
  srs: [unattached],
  drives: [driveOf("web-1", "halted"), driveOf("web-2", "suspended"), driveOf("web-1 snapshot", undefined)],
});

test("a host without discs is told in one line", () => {
  expect(toText("xen1:22", on([]))).toBe(`0 temporary ISOs on xen1:22 (host ${hostUuid})`);
});

test("each disc is a line, with what is not known as a dash", () => {
  const folder = found({
    state: "folder without SR",
    owner: undefined,
    folderUuid: "f",
    srs: [],
    sizeBytes: undefined,
  });
  const elsewhere = found({ folderUuid: "g", isHere: false, hostUuid: "host-2", ageSeconds: undefined });
  const pending = found({ folderUuid: "h", state: "pending", isUnderWay: true, srs: [] });
  const lines = toText("xen1:22", on([found(), folder, elsewhere, pending]))
    .split("\n")
    .slice(2);
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ["STATE", "AGE", "SIZE", "SR", "DRIVES", "FOLDER", "OWNER"],
    ["live", "90 s", "40 KiB", found().srs[0]?.uuid, "-", found().srPath, found().owner],
    ["folder without SR", "90 s", "-", "-", "-", "/var/opt/xen-iso/f", "-"],
    ["live on xen2", "-", "40 KiB", found().srs[0]?.uuid, "-", "/var/opt/xen-iso/g", found().owner],
    ["pending (under way)", "90 s", "40 KiB", "-", "-", "/var/opt/xen-iso/h", found().owner],
  ]);
});

test("a disc of a whole pool says so, and which hosts lack it", () => {
  const whole = found({ folderUuid: "a", isShared: true });
  const partial = found({ folderUuid: "b", isShared: true, state: "partial", lackingHostUuids: ["host-2"] });
  const killed = found({ folderUuid: "c", state: "pending", folderHostUuids: [hostUuid, "host-2"] });
  const lines = toText("xen1:22", on([whole, partial, killed]))
    .split("\n")
    .slice(3);
  expect(lines.map((line) => line.split(/ {2,}/)[0])).toEqual([
    "live (whole pool)",
    "partial (whole pool, without xen2)",
    "pending on xen1, xen2",
  ]);
});

test("a corpse says what it does to HA, to the toolstack and to VMs", () => {
  const text = toText("xen1:22", on([corpse], true));
  expect(text.slice(text.indexOf("What its corpses"))).toBe(
    [
      "What its corpses do to the host:",
      "  sr-1  HA is on: after its next reboot the host is not enabled again, because not all of its PBDs attach",
      "  sr-1  every toolstack start tries twice to attach it, before any VM is started, and raises an alert",
      "  sr-1  VM web-1 does not start: its drive names the disc",
      "  sr-1  VM web-2 does not resume: its drive names the disc",
    ].join("\n"),
  );
  expect(toText("xen1:22", on([corpse]))).toContain("if HA is switched on");
});

test("a corpse whose folder is there attaches again, and one without PBD does nothing", () => {
  const unplugged = { ...corpse, isFolderThere: true, drives: [] };
  expect(toText("xen1:22", on([unplugged]))).toMatch(/attached until .*pbd-plug/);
  const unbound = { ...corpse, srs: [{ ...unattached, hasPbd: false }], drives: [] };
  expect(toText("xen1:22", on([unbound]))).not.toContain("corpses do");
});

test("JSON has all of it", () => {
  const printed = JSON.parse(toJson("xen1:22", on([corpse]))) as Record<string, unknown>;
  expect(printed["host"]).toEqual({ address: "xen1:22", uuid: hostUuid, name: "xen1", isHaEnabled: false });
  expect(printed["tempIsos"]).toMatchObject([
    { state: "corpse", harm: { length: 4 }, drives: { length: 3 } },
  ]);
});
