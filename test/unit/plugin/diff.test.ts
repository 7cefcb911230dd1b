import { expect, test } from "vitest";
import { detailsOf, rootOf } from "../../../provider/plugin/diff";

const changesOf = (olds: object, news: object, replaces: string[]) =>
  Object.fromEntries(
    [...detailsOf({ ...olds }, { ...news }, replaces)].map(([path, { kind, isReplace, isInput }]) => [
      path,
      `${kind}${isReplace ? " replace" : ""}${isInput ? "" : " (host)"}`,
    ]),
  );

test("each changed file of new content is named as the reason of the replacement", () => {
  const olds = { files: { "user-data": "a", "meta-data": "b", old: "c" }, isoSha256: "1" };
  const news = { files: { "user-data": "A", "meta-data": "b", "network-config": "d" }, isoSha256: "2" };
  expect(changesOf(olds, news, ["isoSha256"])).toEqual({
    'files["user-data"]': "UPDATE replace",
    'files["network-config"]': "ADD replace",
    "files.old": "DELETE replace",
  });
});

test("new content of the same file is a reason of its own", () => {
  const olds = { isoPath: "a.iso", isoSha256: "1" };
  expect(changesOf(olds, { ...olds, isoSha256: "2" }, ["isoSha256"])).toEqual({
    isoSha256: "UPDATE replace (host)",
  });
});

test("a new password replaces nothing, another host does", () => {
  const connection = { host: "xen1", password: "a" };
  expect(changesOf({ connection }, { connection: { ...connection, password: "b" } }, [])).toEqual({
    "connection.password": "UPDATE",
  });
  expect(changesOf({ connection }, { connection: { ...connection, host: "xen2" } }, ["host"])).toEqual({
    "connection.host": "UPDATE replace",
  });
  expect(changesOf({}, {}, ["host"])).toEqual({ host: "UPDATE replace (host)" });
});

test("what a refresh found on the host is no change of the program", () => {
  expect(changesOf({}, {}, ["status"])).toEqual({ status: "UPDATE replace (host)" });
});

test.each<[string, object, object, string[], object]>([
  ["another path", { isoPath: "a" }, { isoPath: "b" }, ["isoSha256"], { isoPath: "UPDATE replace" }],
  ["another URL", { isoUrl: "a" }, { isoUrl: "b" }, ["isoIdentity"], { isoUrl: "UPDATE replace" }],
  ["a checksum", {}, { isoChecksum: "a" }, ["isoSha256"], { isoChecksum: "ADD replace" }],
  ["a label", { volumeLabel: "a" }, {}, ["isoSha256"], { volumeLabel: "DELETE replace" }],
  ["another name", { srName: "a" }, { srName: "b" }, ["srName"], { srName: "UPDATE replace" }],
])("a reason to replace a disc: %s", (_title, olds, news, replaces, expected) => {
  expect(changesOf(olds, news, replaces)).toEqual(expected);
});

test.each<[string, object, object, object]>([
  ["a path with the same content", { isoPath: "a" }, { isoPath: "b" }, { isoPath: "UPDATE" }],
  ["what identifies the content", { isoIdentity: "1", isoSha256: "1" }, { isoIdentity: "2" }, {}],
  ["nothing", { files: { a: ["b"] } }, { files: { a: ["b"] } }, {}],
  ["null", { srName: null }, { srName: "a" }, { srName: "UPDATE" }],
  ["a text for an object", { files: "a" }, { files: { a: "b" } }, { files: "UPDATE" }],
  [
    "a list, as a whole",
    { connection: { hostKey: ["a", "b"] } },
    { connection: { hostKey: ["a"] } },
    { "connection.hostKey": "UPDATE" },
  ],
  [
    "a path whose parts are no words",
    { files: { "a b": "1" }, headers: { "x-a": "1" } },
    { files: { "a b": { path: "1" } }, headers: { "x-a": "2" } },
    { 'files["a b"]': "UPDATE", 'headers["x-a"]': "UPDATE" },
  ],
])("a change that replaces nothing: %s", (_title, olds, news, expected) => {
  expect(changesOf(olds, news, [])).toEqual(expected);
});

test("with another host, what else of the connection changes is no reason", () => {
  const olds = { connection: { host: "xen1", password: "a", proxy: { host: "jump1" } } };
  const news = { connection: { host: "xen2", password: "b", proxy: { host: "jump2" } } };
  const others = { "connection.password": "UPDATE", "connection.proxy.host": "UPDATE" };
  expect(changesOf(olds, news, ["host"])).toEqual({ "connection.host": "UPDATE replace", ...others });
  // The host is in the configuration.
  expect(changesOf(olds, { connection: { ...news.connection, host: "xen1" } }, ["host"])).toEqual({
    host: "UPDATE replace (host)",
    ...others,
  });
});

test("with new content, another argument is no reason", () => {
  const olds = { isoPath: "a", once: false };
  expect(changesOf(olds, { ...olds, once: true }, ["isoSha256"])).toEqual({
    once: "UPDATE",
    isoSha256: "UPDATE replace (host)",
  });
});

test("the first property of a path", () => {
  expect(['files["user-data"]', "connection.host", "status", ""].map(rootOf)).toEqual([
    "files",
    "connection",
    "status",
    "",
  ]);
});
