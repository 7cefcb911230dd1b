import { describe, expect, test } from "vitest";
import { isSame, projectsOf, select, type Selector } from "../../../provider/cli/selection";
import type { FoundTempIso } from "../../../provider/host/find-temp-isos";
import { driveOf, found, unattached } from "./found";

const urnOf = (stack: string, project: string, name: string) =>
  `urn:pulumi:${stack}::${project}::pulumi-nodejs:dynamic/xen:TempIso::${name}`;

const nothing = { named: undefined, isEjecting: false };

/** An export that holds these discs, and began to make those. */
const naming = (held: readonly string[], unfinished: readonly string[] = []) => ({
  named: { held: new Set(held), unfinished: new Set(unfinished) },
  isEjecting: false,
});

const live = found({ folderUuid: "live", owner: urnOf("dev", "shop", "web-1") });
const pending = found({ folderUuid: "pending", state: "pending", owner: urnOf("dev", "shop", "web-2") });
const corpse = found({
  folderUuid: "corpse",
  state: "corpse",
  owner: urnOf("dev", "blog", "web-1"),
  srs: [unattached],
});
const folder = found({ folderUuid: "folder", state: "folder without SR", owner: undefined, srs: [] });
const other = found({ folderUuid: "other", owner: urnOf("development", "shop", "web-1") });
const all = [live, pending, corpse, folder, other];

const namesOf = (tempIsos: readonly FoundTempIso[]) => tempIsos.map(({ folderUuid }) => folderUuid);

describe("a sweep removes", () => {
  test.each<[string, Selector, string[]]>([
    [
      "what belongs to a stack",
      { by: "stack", stack: "dev", project: undefined },
      ["live", "pending", "corpse"],
    ],
    ["what belongs to a stack of a project", { by: "stack", stack: "dev", project: "blog" }, ["corpse"]],
    ["nothing of a stack that has no disc", { by: "stack", stack: "de", project: undefined }, []],
    ["what belongs to a resource", { by: "owner", urn: urnOf("dev", "shop", "web-1") }, ["live"]],
    [
      "what is named by a UUID",
      { by: "uuid", uuids: ["folder", live.srs[0]!.uuid] },
      ["live", "pending", "folder", "other"],
    ],
    ["what killed creates have left", { by: "pending" }, ["pending"]],
    ["corpses and folders without SR", { by: "lost" }, ["corpse", "folder"]],
  ])("%s", (_title, selector, expected) => {
    const { removals, doubtful, kept } = select(all, selector, naming([], ["live", "pending", "corpse"]));
    expect(namesOf(removals)).toEqual(expected);
    expect([doubtful, kept]).toEqual([[], []]);
  });
});

const ofDev: Selector = { by: "stack", stack: "dev", project: undefined };

describe("a sweep keeps", () => {
  test("what a state names by the UUID of its SR, whatever its URN", () => {
    const held = live.srs.map(({ uuid }) => uuid);
    const { removals, kept } = select([live, corpse], ofDev, naming(held, ["live", "corpse"]));
    expect(namesOf(removals)).toEqual(["corpse"]);
    expect(kept).toMatchObject([{ found: live, isHeld: true }]);
  });

  test("what a state names by its folder", () => {
    const { removals, doubtful } = select([pending], ofDev, naming(["pending"]));
    expect([removals, doubtful]).toEqual([[], []]);
  });

  test("what another run is making, even with eject", () => {
    const underWay = { ...pending, isUnderWay: true };
    const { removals, kept } = select([underWay], { by: "pending" }, { ...nothing, isEjecting: true });
    expect(removals).toEqual([]);
    expect(kept).toMatchObject([{ reason: "another run is making it", isHeld: false }]);
  });

  test.each(["running", "paused"])("what a %s VM has in its drive, unless it ejects", (powerState) => {
    const held = { ...live, drives: [driveOf("web-1", powerState)] };
    const { removals, kept } = select([held], ofDev, nothing);
    expect(removals).toEqual([]);
    expect(kept[0]?.reason).toBe(
      `the ${powerState} VM web-1 has it in its drive; add --eject to take it out`,
    );
    expect(select([held], ofDev, { ...nothing, isEjecting: true }).doubtful).toEqual([held]);
  });

  test("silent about what is on a host of the pool that was not looked at", () => {
    expect(select([{ ...live, isHere: false, isReached: false }], ofDev, nothing)).toEqual({
      removals: [],
      doubtful: [],
      kept: [],
    });
  });
});

test.each([
  ["a halted VM", "halted"],
  ["a snapshot", undefined],
])("%s keeps nothing", (_title, powerState) => {
  const held = { ...live, drives: [driveOf("web-1", powerState)] };
  expect(select([held], ofDev, nothing).doubtful).toEqual([held]);
});

test("a URN proves nothing: what no export names is doubtful", () => {
  const { removals, doubtful } = select([live, pending], ofDev, naming([], ["pending"]));
  expect([removals, doubtful]).toEqual([[pending], [live]]);
  expect(select([live], { by: "owner", urn: live.owner ?? "" }, nothing).doubtful).toEqual([live]);
});

test("what has changed between two looks is not the same", () => {
  expect(isSame(live, { ...live, ageSeconds: 99 })).toBe(true);
  expect(isSame(corpse, { ...corpse, state: "live" })).toBe(false);
  expect(isSame(live, { ...live, srs: [] })).toBe(false);
  expect(isSame(live, other)).toBe(false);
});

test("the projects of discs are told apart; a folder alone has none", () => {
  expect(projectsOf(all)).toEqual(["shop", "blog"]);
});
