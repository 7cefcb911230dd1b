import { beforeEach, describe, expect, test } from "vitest";
import { type FaultEffect, startPool } from "../simulator";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

const WORDS = [
  "Unable to contact server.",
  "Failed to contact a running management agent.",
  "Error: Connection reset by peer (calling read )",
];

/** Failures that do not say whether sr-create was carried out. */
const failures = (when: "before" | "meanwhile" | "after"): [string, FaultEffect][] => [
  ...["CANNOT_CONTACT_HOST", "INTERNAL_ERROR"].map((code): [string, FaultEffect] => [
    code,
    { kind: "fail", code, params: ["x"], when },
  ]),
  ...WORDS.map((words): [string, FaultEffect] => [words, { kind: "say", words, when }]),
];

describe("a create whose sr-create is answered by an error after it was carried out finds its SR", () => {
  test.each(failures("after"))("%s", async (_title, effect) => {
    await using pool = await startPool({ transport: "embedded" });
    pool.xapi.faults.push({ command: "sr-create", effect });
    const state = await createDisc(argumentsFor(pool.coordinator));
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([state.srUuid]);
    await deleteDisc(state);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("a create whose sr-create goes on behind its error leaves no SR without its folder", () => {
  test.each(failures("meanwhile"))("%s", async (_title, effect) => {
    await using pool = await startPool({ transport: "embedded" });
    pool.xapi.faults.push({ command: "sr-create", effect });
    await createDisc(argumentsFor(pool.coordinator)).then(deleteDisc, () => undefined);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("a create whose sr-create was not carried out fails with the error, and leaves nothing", () => {
  test.each(failures("before"))("%s", async (title, effect) => {
    await using pool = await startPool({ transport: "embedded" });
    pool.xapi.faults.push({ command: "sr-create", effect });
    const words = effect.kind === "say" ? effect.words : title;
    await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(words);
    expect(pool.xapi.calls.filter(({ command }) => command === "sr-create")).toHaveLength(1);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test("a refused sr-create that left an SR all the same: it is forgotten before its folder goes", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const params = ["", "x", ""];
  pool.xapi.faults.push({
    command: "sr-create",
    effect: { kind: "fail", code: "SR_BACKEND_FAILURE_73", params, when: "after" },
  });
  await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(/SR_BACKEND_FAILURE_73/);
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a create that fails while its SR cannot be looked for keeps the folder of the SR", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const effect = { kind: "fail", code: "INTERNAL_ERROR", params: ["EIO"] } as const;
  pool.xapi.faults.push({ command: "pbd-list", times: 100, effect });
  await expect(createDisc(argumentsFor(pool.coordinator))).rejects.toThrow(/INTERNAL_ERROR/);
  const { srs, paths } = await pool.leftovers();
  expect(srs).toHaveLength(1);
  expect(paths.some((path) => path.endsWith(".iso"))).toBe(true);
});

test("a call that may be carried out twice is repeated when the coordinator cannot be contacted", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const effect = { kind: "fail", code: "CANNOT_CONTACT_HOST", params: ["x"] } as const;
  for (const command of ["sr-scan", "vdi-list", "pbd-unplug", "sr-forget"])
    pool.xapi.faults.push({ command, effect });
  await deleteDisc(await createDisc(argumentsFor(pool.coordinator)));
  expect(await pool.leftovers()).toEqual(nothing);
});
