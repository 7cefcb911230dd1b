import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { RunError } from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { assertResolvable } from "../../../provider/resources/assert-resolvable";

test("a folder that resolves the package is fine, below it too", () => {
  const repository = resolve(__dirname, "../../..");
  assertResolvable(repository);
  assertResolvable(join(repository, "examples", "quick-start"));
});

test("a folder that does not resolve the package is told what to do", () => {
  const folder = mkdtempSync(join(tmpdir(), "alone-"));
  try {
    expect(() => assertResolvable(folder)).toThrow(RunError);
    expect(() => assertResolvable(folder)).toThrow(/npm install pulumi-xen-iso/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
