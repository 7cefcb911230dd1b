import { beforeEach, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import { startPool } from "../simulator";
import { argumentsFor, checked, createDisc, deleteDisc, readDisc, setConfiguration } from "./resource";

beforeEach(() => setConfiguration());

test("once that is added later counts for the next refresh", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const args = argumentsFor(pool.coordinator);
  const made = await createDisc(args);
  const news = await checked({ ...args, once: true }, made as never);
  await expect(tempIso.diff("", made, news as never)).resolves.toMatchObject({ changes: true, replaces: [] });
  const { outs } = await tempIso.update("", made, news as never);
  expect(outs).toEqual({ ...made, once: true });

  await deleteDisc(made);
  await expect(readDisc(outs!)).resolves.toMatchObject({ props: { status: "released" } });
});
