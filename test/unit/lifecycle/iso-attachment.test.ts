import { beforeEach, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { diff, type IsoAttachmentState } from "../../../provider/lifecycle/iso-attachment";
import type { IsoAttachmentInputs } from "../../../provider/lifecycle/iso-attachment-inputs";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

const VM = "1f0c14c8-3b5e-4b8f-9d0b-0b6f6bb3a8a1";
const DISC = "9d2e8f0a-6a0e-4c58-8e0b-2f1d6a7c1b11";
const OTHER = "7b84f233-8aa3-468d-b254-fd585194da21";

const connection = { host: "xen1.example.net", password: "s3cret" };
const inputs: IsoAttachmentInputs = { vmUuid: VM, vdiUuid: DISC, connection, owner: "urn:pulumi:s::p::t::n" };
const state: IsoAttachmentState = {
  ...inputs,
  vbdUuid: "b",
  device: "3",
  driveCreated: false,
  insertedVdiUuids: [DISC],
  host: "xen1.example.net",
  port: 22,
  user: "root",
  hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE9nPhGcVqzEFP5jzwVoeDYPqeoS8k9KN0S2QkXSxqGq",
  status: "ready",
};

beforeEach(() => {
  const get = () => undefined as never;
  configure({ get, require: get });
});

test.each<[string, Partial<IsoAttachmentState>, Partial<IsoAttachmentInputs>]>([
  ["nothing", {}, {}],
  ["the owner's URN", {}, { owner: "urn:pulumi:o::p::t::n" }],
  ["flags that are false in place of not given", {}, { once: false, replaceMedia: false }],
  ["a slot that was chosen at create", { device: "4" }, {}],
  ["the slot that it has", { device: "4" }, { device: "4" }],
  ["a disc that is gone from the drive, with once", { vdiUuid: "", once: true }, { once: true }],
])("no change: %s", (_title, olds, news) => {
  expect(diff({ ...state, ...olds }, { ...inputs, ...news })).toMatchObject({ changes: false, replaces: [] });
});

test.each<[string, Partial<IsoAttachmentState>, Partial<IsoAttachmentInputs>]>([
  ["another disc", {}, { vdiUuid: OTHER }],
  ["another disc, with once", { vdiUuid: "" }, { vdiUuid: OTHER, once: true }],
  ["a disc not known yet", {}, { vdiUuid: UNKNOWN }],
  ["a disc that is gone from the drive", { vdiUuid: "" }, {}],
  ["somebody else's disc in the drive", { vdiUuid: OTHER }, {}],
  ["another password", {}, { connection: { ...connection, password: "new" } }],
  ["another host of the pool", {}, { connection: { ...connection, host: "xen2.example.net" } }],
  ["a connection not known yet", {}, { connection: UNKNOWN as never }],
  ["once", {}, { once: true }],
  ["once that is no longer set", { once: true }, {}],
  ["replaceMedia", {}, { replaceMedia: true }],
])("update in place: %s", (_title, olds, news) => {
  expect(diff({ ...state, ...olds }, { ...inputs, ...news })).toMatchObject({ changes: true, replaces: [] });
});

test.each<[string, Partial<IsoAttachmentState>, Partial<IsoAttachmentInputs>, string]>([
  ["another VM", {}, { vmUuid: OTHER }, "vmUuid"],
  ["a VM not known yet", {}, { vmUuid: UNKNOWN }, "vmUuid"],
  ["another slot", {}, { device: "4" }, "device"],
  ["what is incomplete", { status: "incomplete" }, {}, "status"],
])("replace, the old one first: %s", (_title, olds, news, replaced) => {
  expect(diff({ ...state, ...olds }, { ...inputs, ...news })).toEqual({
    changes: true,
    replaces: [replaced],
    deleteBeforeReplace: true,
  });
});
