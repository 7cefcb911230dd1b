import { join, resolve } from "node:path";
import { mergeConfig } from "vitest/config";
import config from "../../vitest.config.mjs";

const root = resolve(import.meta.dirname, "../..");
const dist = join(root, "dist");

/** It loads modules anew, as other processes would; vitest does not do that with dist. */
const LOADED_ANEW = "test/process/lifecycle/inspect-once.test.ts";

// The tests run the code that is published, as the providers' own processes do: one script to count for both.
const inDist = {
  root,
  resolve: { alias: [{ find: /^(?:\.\.\/)+provider(?=\/(?!.+\.json$))/, replacement: dist }] },
  test: { exclude: [LOADED_ANEW], server: { deps: { external: [new RegExp(`^(?:file://)?${dist}/`)] } } },
};

const { projects, ...test } = config.test;
export default {
  ...config,
  root,
  test: { ...test, projects: projects.map((project) => mergeConfig(project, inDist)) },
};
