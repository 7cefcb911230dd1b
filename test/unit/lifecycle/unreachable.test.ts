import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configure } from "../../../provider/lifecycle/connection";
import { Problems } from "../../../provider/lifecycle/problems";
import { checkDeleteUnreachable } from "../../../provider/lifecycle/unreachable";

function configured(value: unknown): void {
  const get = (key: string) => (key === "xen:deleteUnreachable" ? value : undefined) as string;
  configure({ get, require: get });
}

beforeEach(() => {
  configured(undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

function reasons(): string[] {
  const problems = new Problems();
  checkDeleteUnreachable(problems);
  return problems.failures.map(({ reason }) => reason);
}

test.each([undefined, "true", "false", true, false])("xen:deleteUnreachable takes %s", (value) => {
  configured(value);
  expect(reasons()).toEqual([]);
});

test.each(["yes", "", "TRUE", 1, {}])("xen:deleteUnreachable refuses %o", (value) => {
  configured(value);
  expect(reasons()).toEqual(["xen:deleteUnreachable (stack configuration): takes true or false"]);
});

test.each(["true", "false", ""])("PULUMI_XEN_DELETE_UNREACHABLE takes '%s'", (value) => {
  vi.stubEnv("PULUMI_XEN_DELETE_UNREACHABLE", value);
  expect(reasons()).toEqual([]);
});

test("PULUMI_XEN_DELETE_UNREACHABLE refuses anything else", () => {
  vi.stubEnv("PULUMI_XEN_DELETE_UNREACHABLE", "1");
  expect(reasons()).toEqual(["PULUMI_XEN_DELETE_UNREACHABLE: takes true or false"]);
});
