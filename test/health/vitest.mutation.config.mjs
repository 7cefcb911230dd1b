import { defineConfig } from "vitest/config";

// The tests that a mutant is given: fast, and without a host but one in the same process.
export default defineConfig({
  test: {
    include: [
      "test/unit/**/*.test.ts",
      "test/process/lifecycle/{serialised,url-files,url-image}.test.ts",
      "test/process/ssh/sh.test.ts",
      "test/process/xe/*.test.ts",
    ],
    // These read the tree, which holds the copy of a mutant.
    exclude: [
      "test/unit/{limits,mirror,mutations}.test.ts",
      "test/unit/{docs,examples}/**",
      "test/unit/plugin/schema.test.ts",
    ],
    setupFiles: "test/unit/reset.ts",
    globalSetup: "test/temporary-folder.ts",
    unstubEnvs: true,
    testTimeout: 60_000,
  },
});
