import { beforeEach, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { checkIsoRelease, diff, type IsoReleaseInputs } from "../../../provider/lifecycle/iso-release";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

const connection = { host: "xen1.example.net", password: "s3cret" };
const inputs: IsoReleaseInputs = {
  srUuid: "7b84f233-8aa3-468d-b254-fd585194da21",
  connection,
  owner: "urn:pulumi:s::p::t::n",
};
const { connection: _, ...state } = inputs;

beforeEach(() => {
  const get = () => undefined as never;
  configure({ get, require: get });
});

test.each([["10.0.0.7"], [UNKNOWN], [{ nested: ["a secret"] }]])(
  "what it waits for does not get into the inputs: %j",
  async (after) => {
    await expect(checkIsoRelease({ ...inputs, after })).resolves.toEqual({ inputs, failures: [] });
  },
);

test("takes null, as which a secret undefined arrives, for a field that is not given", async () => {
  const { inputs: checked, failures } = await checkIsoRelease({
    ...inputs,
    connection: { ...connection, port: null },
    after: null,
  });
  expect(failures).toEqual([]);
  expect(checked).toEqual(inputs);
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no SR", { srUuid: undefined }, /^srUuid: is missing/],
  ["an SR's name", { srUuid: "web-1-seed" }, /^srUuid: must be a UUID/],
  [
    "an unknown argument",
    { before: 1 },
    /^before: is not an argument; expected one of srUuid, connection, hostConnections, after/,
  ],
  ["a connection without a host", { connection: { password: "p" } }, /^connection\.host: is missing/],
])("check refuses %s", async (_title, change, reason) => {
  const { failures } = await checkIsoRelease({ ...inputs, ...change });
  expect(failures).toEqual([{ property: "", reason: expect.stringMatching(reason) }]);
});

test("no change: another connection, and whatever else but the SR", () => {
  const news = { ...inputs, owner: "urn:pulumi:o::p::t::n", connection: { ...connection, password: "new" } };
  expect(diff(state, news)).toEqual({ changes: false, replaces: [] });
});

test("replace: another SR, and one not known yet", () => {
  for (const srUuid of ["1f0c14c8-3b5e-4b8f-9d0b-0b6f6bb3a8a1", UNKNOWN])
    expect(diff(state, { ...inputs, srUuid })).toEqual({ changes: true, replaces: ["srUuid"] });
});

test("update: a release that failed in its midst", () => {
  const left = { owner: "o", isoName: "a.iso", isoSize: 1, srPath: "/var/opt/xen-iso/1" };
  expect(diff({ ...state, left }, inputs)).toEqual({ changes: true, replaces: [] });
});
