import { expect, test } from "vitest";
import { detailsOf } from "../../../provider/plugin/diff";

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
