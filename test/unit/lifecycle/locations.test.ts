import { mkdtempSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  checksumProblem,
  localPathOf,
  localPathProblem,
  missingHint,
  urlProblem,
  webUrl,
} from "../../../provider/lifecycle/locations";

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
  writeFileSync(join(folder, "c[1].iso"), "");
  expect(missingHint(join(folder, "c[1].iso"))).toMatch(/, such as \/.*\/c\[1\]\.iso$/);
  for (const pattern of ["x[12].iso", "x{1,2}.iso", "x?"])
    expect(missingHint(pattern)).toMatch(/^only a shell expands a pattern/);
  expect(missingHint("x.iso")).toBe("a relative path starts at the program's folder");
});

test("only http and https URLs are of a web server, and only local file URLs have a path", () => {
  expect(webUrl("http://example.net/a")?.host).toBe("example.net");
  expect(webUrl("file:///a")).toBeUndefined();
  expect(localPathOf("file:///a")).toBe("/a");
  expect(localPathOf("file://elsewhere/a")).toBeUndefined();
});

test.each([
  ["x.iso", "must be a URL that begins with https:// or http://; isoPath takes a local file"],
  [
    "ftp://example.net/x.iso",
    "must be a URL that begins with https:// or http://; isoPath takes a local file",
  ],
  [
    "https://user@example.net/x.iso",
    "must be without user and password, which would be readable in the state; set headers",
  ],
  [
    "https://:password@example.net/x.iso",
    "must be without user and password, which would be readable in the state; set headers",
  ],
  ["https://example.net/x.iso", undefined],
])("the URL %s: %s", (url, problem) => {
  expect(urlProblem(url, { pathArgument: "isoPath", login: "set headers" })).toBe(problem);
});

test("a checksum is of a kind that is known, or the URL of a list", () => {
  for (const checksum of [
    `sha256:${"a".repeat(64)}`,
    `sha512:${"a".repeat(128)}`,
    "https://example.net/SHA256SUMS",
  ])
    expect(checksumProblem(checksum)).toBeUndefined();
  for (const checksum of ["md5:a", `sha256:${"a".repeat(63)}`, "SHA256SUMS", ""])
    expect(checksumProblem(checksum)).toMatch(/^must be sha256:<64 hex digits>, .*SHA256SUMS$/);
});
