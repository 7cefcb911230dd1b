import { beforeEach, expect, test } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import type { TempIsoInputs } from "../../../provider/lifecycle/inputs";
import { diff, type TempIsoState } from "../../../provider/lifecycle/temp-iso";
import { fingerprint, publicKeyText } from "../../../provider/ssh/host-key";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

beforeEach(() => {
  const get = () => undefined as never;
  configure({ get, require: get });
});

const key = Buffer.from("AAAAC3NzaC1lZDI1NTE5AAAAIJWDaxhzlaJqKY73Uz1hLr2mFvFaKsf9bKFYT5H7IxD4", "base64");
const otherKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE9nPhGcVqzEFP5jzwVoeDYPqeoS8k9KN0S2QkXSxqGq";

const inputs: TempIsoInputs = {
  isoPath: "a.iso",
  srMountPath: "/var/opt/xen-iso",
  connection: { host: "xen1.example.net", password: "p" },
  owner: "urn:pulumi:s::p::t::n",
  isoSha256: "aa",
};

const state: TempIsoState = {
  ...inputs,
  srName: "n-1",
  isoName: "n-1.iso",
  srUuid: "s",
  pbdUuid: "p",
  vdiUuid: "v",
  srPath: "/var/opt/xen-iso/1",
  hostUuid: "h",
  isoSize: 2048,
  host: "xen1.example.net",
  port: 22,
  user: "root",
  hostKey: publicKeyText(key),
  status: "ready",
};

const connection = { host: "xen1.example.net", password: "p" };

test.each<[string, Partial<TempIsoInputs>]>([
  ["nothing", {}],
  ["the path, with the same content", { isoPath: "elsewhere/b.iso" }],
  ["the owner's URN (an alias, a renamed stack)", { owner: "urn:pulumi:other::p::t::n" }],
])("no change: %s", (_title, change) => {
  expect(diff(state, { ...inputs, ...change })).toEqual({ changes: false, replaces: [] });
});

test("no change: a name that was chosen at create, or whose argument was taken away", () => {
  expect(diff({ ...state, srName: "mine", isoName: "mine.iso" }, inputs).changes).toBe(false);
});

test("no change: a name that is now given as it was chosen", () => {
  expect(diff(state, { ...inputs, srName: "n-1", isoName: "n-1.iso" }).changes).toBe(false);
});

test.each<[string, string, string[]]>([
  ["what the state has", '"etag"', []],
  ["the checksum of the image on the host", "sha256:aa", []],
  ["another identity", '"other"', ["isoIdentity"]],
])("an image at a URL: %s", (_title, isoIdentity, replaces) => {
  const { isoPath: _path, isoSha256: _sha256, ...others } = inputs;
  const news = { ...others, isoUrl: "https://example.net/x.iso", isoIdentity };
  const olds = { ...state, isoIdentity: '"etag"' };
  expect(diff(olds, news)).toEqual({ changes: replaces.length > 0, replaces });
});

test.each<[string, Partial<TempIsoInputs>, string[]]>([
  ["the content", { isoSha256: "bb" }, ["isoSha256"]],
  ["the SR's name", { srName: "other" }, ["srName"]],
  ["the image's name", { isoName: "other.iso" }, ["isoName"]],
  ["the folder", { srMountPath: "/var/run/sr-mount" }, ["srMountPath"]],
  ["the host", { connection: { ...connection, host: "xen2.example.net" } }, ["host"]],
  ["content not known yet", { isoSha256: UNKNOWN }, ["isoSha256"]],
  ["a connection not known yet", { connection: UNKNOWN as never }, ["host"]],
])("replace: %s", (_title, change, replaces) => {
  expect(diff(state, { ...inputs, ...change })).toEqual({ changes: true, replaces });
});

test.each<[string, Partial<TempIsoInputs>]>([
  ["the password", { connection: { ...connection, password: "new" } }],
  ["the port", { connection: { ...connection, port: 2222 } }],
  ["a host key", { connection: { ...connection, hostKey: fingerprint(key) } }],
  ["a password not known yet", { connection: { ...connection, password: UNKNOWN } }],
  ["a jump host", { connection: { ...connection, proxy: { host: "jump.example.net" } } }],
])("update in place: %s", (_title, change) => {
  expect(diff(state, { ...inputs, ...change })).toEqual({ changes: true, replaces: [] });
});

test("update in place: what the stack's configuration has changed", () => {
  const bare: TempIsoInputs = { ...inputs, connection: {} };
  const configured = { "xen:host": "xen1.example.net", "xen:password": "p" };
  for (const [values, changes] of [
    [configured, false],
    [{ ...configured, "xen:password": "new" }, false],
    [{ ...configured, "xen:hostKey": fingerprint(key) }, false],
    [{ ...configured, "xen:hostKey": otherKey }, true],
    [{ ...configured, "xen:port": "2222" }, true],
    [{ ...configured, "xen:user": "admin" }, true],
  ] as const) {
    const get = (name: string) => (values as Record<string, string>)[name] as string;
    configure({ get, require: get });
    expect(diff({ ...state, connection: {} }, bare), JSON.stringify(values)).toEqual({
      changes,
      replaces: [],
    });
  }
});

test.each(["incomplete", "lost"] as const)("replace: what is %s", (status) => {
  expect(diff({ ...state, status }, inputs)).toEqual({ changes: true, replaces: ["status"] });
});

test("replace: what is lost, although it serves one boot", () => {
  const lost: TempIsoState = { ...state, status: "lost", once: true };
  expect(diff(lost, { ...inputs, once: true })).toEqual({ changes: true, replaces: ["status"] });
});

test("no change: a disc that was released, and that serves one boot", () => {
  const released: TempIsoState = { ...state, status: "released", once: true };
  expect(diff(released, { ...inputs, once: true })).toEqual({ changes: false, replaces: [] });
});

test("update in place: once that is set, or no longer; false is the default", () => {
  const once: TempIsoState = { ...state, once: true };
  expect(diff(state, { ...inputs, once: true })).toEqual({ changes: true, replaces: [] });
  expect(diff(once, inputs)).toEqual({ changes: true, replaces: [] });
  expect(diff(state, { ...inputs, once: false })).toEqual({ changes: false, replaces: [] });
});

test("replace: a disc that was released, once the program wants it to stay, or with other content", () => {
  const released: TempIsoState = { ...state, status: "released", once: true };
  expect(diff(released, inputs)).toEqual({ changes: true, replaces: ["status"] });
  expect(diff(released, { ...inputs, once: true, isoSha256: "bb" }).replaces).toEqual(["isoSha256"]);
});

const pool: TempIsoState = {
  ...state,
  poolWide: true,
  hosts: [
    { uuid: "h", name: "xen1", address: "192.0.2.1", pbdUuid: "p", hostKey: state.hostKey },
    { uuid: "i", name: "xen2", address: "192.0.2.2", pbdUuid: "q", hostKey: otherKey },
  ],
};

const poolInputs: TempIsoInputs = { ...inputs, poolWide: true };

test("a disc for a whole pool: nothing", () => {
  expect(diff(pool, poolInputs)).toEqual({ changes: false, replaces: [] });
});

test.each<[string, TempIsoState, TempIsoInputs, string[]]>([
  ["poolWide is given", state, poolInputs, ["poolWide"]],
  ["poolWide is taken away", pool, inputs, ["poolWide"]],
  ["it is lost", { ...pool, status: "lost" }, poolInputs, ["status"]],
  [
    "a host outside of the pool",
    pool,
    { ...poolInputs, connection: { host: "xen9", password: "p" } },
    ["host"],
  ],
])("a disc for a whole pool is replaced: %s", (_title, olds, news, replaces) => {
  expect(diff(olds, news)).toEqual({ changes: true, replaces });
});

test.each<[string, TempIsoState, TempIsoInputs]>([
  ["a host lacks it", { ...pool, status: "partial" }, poolInputs],
  [
    "another host of the pool, by its name",
    pool,
    { ...poolInputs, connection: { host: "xen2", password: "p" } },
  ],
  [
    "another host of the pool, by its address",
    pool,
    { ...poolInputs, connection: { host: "192.0.2.2", password: "p" } },
  ],
  ["hostConnections", pool, { ...poolInputs, hostConnections: { xen2: { port: 2222 } } }],
  ["skipOfflineHosts", pool, { ...poolInputs, skipOfflineHosts: true }],
])("a disc for a whole pool is updated: %s", (_title, olds, news) => {
  expect(diff(olds, news)).toEqual({ changes: true, replaces: [] });
});
