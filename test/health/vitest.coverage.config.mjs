import { join, resolve } from "node:path";
import { mergeConfig } from "vitest/config";
import config from "../../vitest.config.mjs";

const root = resolve(import.meta.dirname, "../..");
const dist = join(root, "dist");

// The tests run the code that is published, as the providers' own processes do: one script to count for both.
const inDist = {
  root,
  resolve: { alias: [{ find: /^(?:\.\.\/)+provider(?=\/(?!.+\.json$))/, replacement: dist }] },
  test: { server: { deps: { external: [new RegExp(`^(?:file://)?${dist}/`)] } } },
};

const { projects, ...test } = config.test;
export default {
  ...config,
  root,
  test: { ...test, projects: projects.map((project) => mergeConfig(project, inDist)) },
};
