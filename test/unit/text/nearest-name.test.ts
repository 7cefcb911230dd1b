import { expect, test } from "vitest";
import { nearestName } from "../../../provider/text/nearest-name";

const names = ["isoPath", "isoName", "files", "user"];

test.each([
  ["isoPaht", "isoPath"],
  ["iso_path", "isoPath"],
  ["ISO-NAME", "isoName"],
  ["file", "files"],
  ["User", "user"],
])("suggests the name that was probably meant by %s", (name, meant) => {
  expect(nearestName(name, names)).toBe(`did you mean ${meant}?`);
});

test.each(["", "x", "path", "__proto__", "connection"])("lists all names for %j", (name) => {
  expect(nearestName(name, names)).toBe("expected one of isoPath, isoName, files, user");
});
