import { expect, test } from "vitest";
import { checkIsoFiles, decodeBase64, IsoBuildError, volumeLabelProblem } from "../../../provider/iso/check";

test("accepts text, base64 with line breaks, and a path", () => {
  expect(checkIsoFiles({ a: "x", "b/c": { base64: "aGVs\nbG8=" }, d: { path: "./x" } })).toEqual([]);
  expect(decodeBase64("aGVs\r\nbG8=").toString()).toBe("hello");
});

test.each([
  ["/a", "absolute"],
  ["a//b", "empty part"],
  ["../a", '".."'],
  ["a:b", "Joliet forbids"],
  ["a\nb", "control character"],
  ["\ud800", "well-formed Unicode"],
  ["x".repeat(65), "65 UTF-16 units"],
  ["1/2/3/4/5/6/7/8/9", "9 levels deep"],
])("refuses the path %j", (path, reason) => {
  expect(checkIsoFiles({ [path]: "" })).toEqual([{ path, reason: expect.stringContaining(reason) }]);
});

test.each([
  [{ a: "", "a/b": "" }, "a/b", "to be a folder, and it is a file"],
  [{ A: "", a: "" }, "a", "differs only in case"],
  [{ a: 1 }, "a", "must be text"],
  [{ a: { base64: "!" } }, "a", "not valid base64"],
  [{ a: { path: "" } }, "a", "must be text"],
])("refuses %j", (files, path, reason) => {
  expect(checkIsoFiles(files)).toEqual([{ path, reason: expect.stringContaining(reason) }]);
});

test.each([
  ["cidata", undefined],
  ["", "non-empty"],
  ["x".repeat(33), "longer than 32"],
  ["a/b", "printable ASCII"],
  [" a", "space"],
])("the label %j: %s", (label, reason) => {
  const problem = volumeLabelProblem(label);
  if (reason === undefined) expect(problem).toBeUndefined();
  else expect(problem).toContain(reason);
});

test("an error quotes paths, so that they cannot steer a terminal", () => {
  const error = new IsoBuildError("ISO_FILES_REFUSED", [{ path: "\x1b[2J", reason: "is odd" }]);
  expect(error.message).toBe('The image cannot be built: "\\u001b[2J" is odd.');
});
