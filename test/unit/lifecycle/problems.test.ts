import { expect, test } from "vitest";
import { Problems } from "../../../provider/lifecycle/problems";

test("names no property, whose value the engine would print", () => {
  const problems = new Problems();
  problems.add("connection.password", "must be a non-empty string");
  expect(problems.failures).toEqual([
    { property: "", reason: "connection.password: must be a non-empty string" },
  ]);
});

test("knows which arguments it concerns, by what is inside them too", () => {
  const problems = new Problems();
  problems.add('files["user-data"]', "is bad");
  problems.add("connection.proxy.host", "is bad");
  expect(problems.concern("isoPath", "files")).toBe(true);
  expect(problems.concern("connection")).toBe(true);
  expect(problems.concern("isoPath", "proxy", "file")).toBe(false);
});
