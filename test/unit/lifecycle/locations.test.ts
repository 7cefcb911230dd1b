import { mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { localPathOf, localPathProblem, missingHint, webUrl } from "../../../provider/lifecycle/locations";

test.each<[string, RegExp]>([
  ["https://example.net/x.iso", /^is a URL; set isoUrl to it instead$/],
  ["FILE:///srv/a%20b.iso", /^is a URL; set it to \/srv\/a b\.iso$/],
  ["file://elsewhere/x.iso", /^is a URL; set it to the path of the file$/],
  ["s3://bucket/x.iso", /^is a URL that begins with s3:\/\/; download the file, or set isoUrl/],
  ["~", new RegExp(`^begins with ~, .*; set it to ${homedir()}$`)],
  ["~/x.iso", new RegExp(`^begins with ~, .*; set it to ${join(homedir(), "x.iso")}$`)],
  ["~eve/x.iso", /^begins with ~, .*; set it to the path in full$/],
])("the path %s is refused with what to use instead", (path, reason) => {
  expect(localPathProblem(path, "isoUrl")).toMatch(reason);
});

test.each(["x.iso", "./~/x.iso", "~x.iso", "/srv/a:b.iso", "C:\\x.iso", "*.iso"])(
  "the path %s may be that of a file",
  (path) => {
    expect(localPathProblem(path, "isoUrl")).toBeUndefined();
  },
);

test("a pattern that matches nothing leads to the path of a file, one that matches to the first match", () => {
  const folder = mkdtempSync(join(tmpdir(), "xen-iso-pattern-"));
  for (const name of ["b.iso", "a.iso", "a+iso"]) writeFileSync(join(folder, name), "");
  expect(missingHint(join(folder, "*.iso"))).toMatch(/to the path of one file, such as \/.*\/a\.iso$/);
  expect(missingHint(join(folder, "b.is?"))).toMatch(/, such as \/.*\/b\.iso$/);
  expect(missingHint(join(folder, "c*.iso"))).toMatch(/to the path of one file$/);
  expect(missingHint(join(folder, "none/*.iso"))).toMatch(/to the path of one file$/);
  expect(missingHint("x.iso")).toBe("a relative path starts at the program's folder");
});

test("only http and https URLs are of a web server, and only local file URLs have a path", () => {
  expect(webUrl("http://example.net/a")?.host).toBe("example.net");
  expect(webUrl("file:///a")).toBeUndefined();
  expect(localPathOf("file:///a")).toBe("/a");
  expect(localPathOf("file://elsewhere/a")).toBeUndefined();
});
