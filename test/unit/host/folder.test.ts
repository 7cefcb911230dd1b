import { expect, test } from "vitest";
import { folderAt, pathOf } from "../../../provider/host/folder";

test("a folder is found again by its path", () => {
  const folder = { srMountPath: "/var/opt/xen iso", uuid: "7b84f233-8aa3-468d-b254-fd585194da21" };
  expect(pathOf(folder)).toBe("/var/opt/xen iso/7b84f233-8aa3-468d-b254-fd585194da21");
  expect(folderAt(pathOf(folder))).toEqual(folder);
});
