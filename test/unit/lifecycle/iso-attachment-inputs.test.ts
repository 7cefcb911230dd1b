import { beforeEach, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { checkIsoAttachment } from "../../../provider/lifecycle/iso-attachment-inputs";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

const VM = "1f0c14c8-3b5e-4b8f-9d0b-0b6f6bb3a8a1";
const DISC = "9d2e8f0a-6a0e-4c58-8e0b-2f1d6a7c1b11";

const connection = { host: "xen1.example.net", password: "s3cret" };
const inputs = { vmUuid: VM, vdiUuid: DISC, connection, owner: "urn:pulumi:s::p::t::n" };

beforeEach(() => {
  const get = () => undefined as never;
  configure({ get, require: get });
});

test("leaves good arguments, and those not known yet, as they are", async () => {
  for (const news of [
    inputs,
    { ...inputs, device: "3", replaceMedia: true, once: false, __provider: "exports" },
    { ...inputs, vmUuid: UNKNOWN, vdiUuid: UNKNOWN, device: UNKNOWN, once: UNKNOWN, connection: UNKNOWN },
  ])
    await expect(checkIsoAttachment(news)).resolves.toEqual({ inputs: news, failures: [] });
});

test.each<[string, Record<string, unknown>, RegExp]>([
  ["no VM", { vmUuid: undefined }, /^vmUuid: is missing/],
  ["a VM's name", { vmUuid: "web-1" }, /^vmUuid: must be a UUID as xe prints it/],
  ["a UUID in upper case", { vmUuid: VM.toUpperCase() }, /^vmUuid: must be a UUID .* lower-case/],
  ["no disc", { vdiUuid: undefined }, /^vdiUuid: is missing/],
  ["a disc with a newline", { vdiUuid: `${DISC}\n` }, /^vdiUuid: must be a UUID/],
  ["a slot as a number", { device: 3 }, /^device: must be the number of a slot as a string/],
  ["the guest's name of a drive", { device: "xvdd" }, /^device: must be the number/],
  ["a slot that there is not", { device: "16" }, /^device: must be the number/],
  ["a replaceMedia that is no boolean", { replaceMedia: "true" }, /^replaceMedia: must be true or false/],
  ["a once that is no boolean", { once: 1 }, /^once: must be true or false/],
  ["an unknown argument", { vdiUUID: DISC }, /^vdiUUID: is not an argument; did you mean vdiUuid/],
  [
    "an unknown field of the connection",
    { connection: { ...connection, pasword: "x" } },
    /^connection\.pasword/,
  ],
])("refuses %s", async (_title, change, reason) => {
  const { failures } = await checkIsoAttachment({ ...inputs, ...change });
  expect(failures).toEqual([{ property: "", reason: expect.stringMatching(reason) }]);
});

test("takes null, as which a secret undefined arrives, for an argument that is not given", async () => {
  const nulls = { device: null, replaceMedia: null, once: null };
  await expect(checkIsoAttachment({ ...inputs, ...nulls })).resolves.toEqual({ inputs, failures: [] });
});
