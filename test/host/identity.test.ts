import { basename } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import type { TempIsoInputs } from "../../provider/lifecycle/inputs";
import { startPool } from "../simulator";
import { nothing } from "./pool";
import { argumentsFor, checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

const renamed = "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1";

describe("the nonce of a disc", () => {
  test("is chosen once, for a new resource or a replacement, and kept from the old inputs", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const args = argumentsFor(pool.coordinator);
    const [first, second] = [await checked(args), await checked(args)] as TempIsoInputs[];
    expect(first!.nonce).toMatch(/^[0-9a-f-]{36}$/);
    expect(second!.nonce).not.toBe(first!.nonce);
    expect(await checked(args, { ...first })).toMatchObject({ nonce: first!.nonce });
  });

  test("names its folder, and stands in the description of its SR", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const state = await createDisc(argumentsFor(pool.coordinator));
    expect(basename(state.srPath)).toBe(state.nonce);
    expect(pool.xapi.srs[0]?.nameDescription).toBe(
      `Temporary ISO of ${state.owner} in folder ${state.nonce} (pulumi-xen-iso)`,
    );
  });

  test("is missing from a disc of 0.1.0, which is read, updated and deleted all the same", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const args = argumentsFor(pool.coordinator);
    const { nonce: _, ...old } = await createDisc(args);
    const inputs = (await checked(args, old)) as TempIsoInputs;
    expect(inputs.nonce).toBeUndefined();
    expect(await tempIso.diff("", old, inputs)).toEqual({ changes: false, replaces: [] });
    expect((await tempIso.update("", old, inputs)).outs).toEqual(old);
    await expect(readDisc(old)).resolves.toMatchObject({ props: { status: "ready" } });
    await deleteDisc(old);
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

describe("after its stack was renamed, a disc", () => {
  test("is named by its new URN in the SR's description, from the next update on", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const args = argumentsFor(pool.coordinator);
    const state = await createDisc(args);
    const inputs = (await checked({ ...args, owner: renamed }, state as never)) as TempIsoInputs;
    expect(await tempIso.diff("", state, inputs)).toMatchObject({ changes: false });
    const { outs } = await tempIso.update("", state, inputs);
    expect(pool.xapi.srs[0]?.nameDescription).toContain(renamed);
    await deleteDisc(outs!);
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("is found by its folder, whatever URN its SR names", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const state = await createDisc(argumentsFor(pool.coordinator));
    const { srUuid: _, pbdUuid: __, vdiUuid: ___, ...incomplete } = { ...state, owner: renamed };
    // As a crash within sr-create leaves it.
    pool.xapi.pbds.splice(0);
    await deleteDisc({ ...incomplete, status: "incomplete" });
    expect(await pool.leftovers()).toEqual(nothing);
  });

  test("has its description brought up to date by a refresh, and a host that cannot do it is no failure", async () => {
    await using pool = await startPool({ transport: "embedded" });
    const state = { ...(await createDisc(argumentsFor(pool.coordinator))), owner: renamed };
    pool.xapi.faults.push({ command: "sr-param-set", effect: { kind: "fail", code: "SR_NO_PBDS" } });
    await expect(readDisc(state)).resolves.toMatchObject({ props: { status: "ready" } });
    await readDisc(state);
    expect(pool.xapi.srs[0]?.nameDescription).toContain(renamed);
  });
});
