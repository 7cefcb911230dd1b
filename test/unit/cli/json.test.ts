import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import type { Check } from "../../../provider/cli/diagnosis";
import { toJson as doctorToJson } from "../../../provider/cli/doctor";
import { toJson } from "../../../provider/cli/list";
import { driveOf, found, unattached } from "./found";

// Programs read these documents: a field may be added, none is renamed, removed or given another meaning.

const page = readFileSync(resolve(__dirname, "../../../docs/command-line.md"), "utf8");

test("list --json has the documented fields, and no others", () => {
  const hostUuid = "7ba98d5b-6d4c-4402-af2e-6de145bc4763";
  const facts = { hostUuid, hostNames: new Map([[hostUuid, "xen1"]]), isHaEnabled: false };
  const live = found({ drives: [driveOf("web-1", "running")] });
  const corpse = found({ state: "corpse", srs: [unattached], lackingHostUuids: [hostUuid] });
  const json: unknown = JSON.parse(toJson("xen1:22", { ...facts, tempIsos: [live, corpse] }));
  expect(json).toEqual({
    host: { address: "xen1:22", uuid: hostUuid, name: "xen1", isHaEnabled: false },
    tempIsos: [
      {
        state: "live",
        owner: expect.stringMatching(/^urn:pulumi:/),
        folderUuid: expect.any(String),
        srPath: expect.stringMatching(/^\//),
        isFolderThere: true,
        isoName: "web-1.iso",
        sizeBytes: 40_960,
        ageSeconds: 90,
        isHere: true,
        isReached: true,
        isShared: false,
        hostUuid,
        folderHostUuids: [hostUuid],
        lackingHostUuids: [],
        isUnderWay: false,
        srs: [{ uuid: expect.any(String), nameLabel: "web-1", hasPbd: true, isAttached: true }],
        drives: [{ vbdUuid: "vbd-1", vmUuid: "vm-1", vmName: "web-1", powerState: "running" }],
        harm: [],
      },
      expect.objectContaining({ state: "corpse", harm: [expect.any(String)], lackingHostUuids: [hostUuid] }),
    ],
  });
  expect(fieldsOf(json)).toEqual(documentedFields("list"));
});

test("doctor --json has the documented fields, and no others", () => {
  const ok: Check = { name: "login", status: "ok", detail: "as root" };
  const failed: Required<Check> = {
    name: "login",
    status: "failed",
    code: "UNREACHABLE",
    detail: "no answer",
    advice: "ping",
  };
  const json: unknown = JSON.parse(doctorToJson("xen1:22", [ok, failed]));
  expect(json).toEqual({ host: "xen1:22", checks: [ok, failed] });
  expect(fieldsOf(json)).toEqual(documentedFields("doctor"));
});

/** The first column of the table in docs/command-line.md. */
function documentedFields(command: string): string[] {
  const [, section = ""] = page.split(`\n### \`${command} --json\`\n`);
  const rows = Array.from(section.split(/^#/m)[0]!.matchAll(/^\| (`.+?) +\|/gm), ([, cell = ""]) => cell);
  return rows.flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, field = ""]) => field)).sort();
}

/** Each field that holds a value: `tempIsos[].srs[].uuid`. */
function fieldsOf(json: unknown): string[] {
  return [...new Set(leavesOf(json, ""))].map((name) => name.replace(/^\./, "")).sort();
}

function leavesOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((each) => leavesOf(each, `${path}[]`));
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, each]) => leavesOf(each, `${path}.${name}`));
}
