import fc from "fast-check";
import { beforeEach, expect, test } from "vitest";
import { tempIso } from "../../provider/lifecycle/provider";
import { sh } from "../../provider/ssh/sh";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import { startPool } from "../simulator";
import { nothing } from "./pool";
import { argumentsFor, createDisc, deleteDisc, setConfiguration } from "./resource";
import { targetOf } from "./target";

beforeEach(() => setConfiguration());

/** What has made trouble on command lines, beside anything at all. */
const awkward = fc.oneof(
  fc.constantFrom(
    "$(reboot)",
    "`id`",
    "'; id; '",
    '"',
    "-n",
    "--",
    "$HOME",
    "a,b\\c",
    "*",
    "server=x",
    " ",
    "~",
    "!!",
    "ü",
  ),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 30 }),
  fc.constant("x".repeat(5_000)),
);

test("any value reaches a command of the host as it is, through the real sshd and shell", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const { privateKey } = pool.coordinator.connection;
  const connection = SharedConnection.to(targetOf(pool.coordinator, { privateKey }));
  const options = { purpose: "print", timeoutMs: 10_000 };
  await fc.assert(
    fc.asyncProperty(fc.array(awkward, { minLength: 1, maxLength: 5 }), async (values) => {
      const passable = values.map((value) => Buffer.from(value.replaceAll("\0", "")).toString());
      const { stdout } = await connection.exec(sh`printf '%s\037' ${passable}`, options);
      expect(stdout).toBe(passable.map((value) => `${value}\x1f`).join(""));
    }),
    { numRuns: 100 },
  );
});

test("any name is refused at check, or is just a name", async () => {
  await using pool = await startPool({ transport: "sshd" });
  let made = 0;
  await fc.assert(
    fc.asyncProperty(awkward, awkward, async (srName, resourceName) => {
      const owner = `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::${resourceName}`;
      const args = argumentsFor(pool.coordinator, { srName, isoName: `${srName}.iso`, owner });
      const { failures = [] } = await tempIso.check({}, args);
      const isoName = failures.some(({ reason }) => reason.startsWith("isoName"))
        ? undefined
        : args["isoName"];
      if (failures.some(({ reason }) => !reason.startsWith("isoName"))) return;

      const state = await createDisc({ ...args, isoName });
      made++;
      expect(pool.xapi.srs).toMatchObject([{ nameLabel: srName }]);
      expect(pool.xapi.srs[0]?.nameDescription).toContain(owner);
      expect(pool.xapi.vdis).toMatchObject([{ nameLabel: state.isoName }]);
      await deleteDisc(state);
      expect(await pool.leftovers()).toEqual(nothing);
    }),
    { numRuns: 40, interruptAfterTimeLimit: 45_000 },
  );
  expect(made).toBeGreaterThan(5);
});
