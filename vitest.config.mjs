import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    passWithNoTests: false,
    // A test waits for another program most of the time, so one worker for each core, all cores.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          globalSetup: "test/temporary-folder.ts",
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "remote",
          include: ["test/remote/**/*.test.ts"],
          globalSetup: "test/temporary-folder.ts",
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "host",
          include: ["test/host/**/*.test.ts"],
          globalSetup: "test/temporary-folder.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          globalSetup: "test/temporary-folder.ts",
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts", "test/demo/**/*.test.ts", "test/states/*.test.ts"],
          globalSetup: ["test/temporary-folder.ts", "test/engine/global-setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "docs",
          include: ["test/docs/**/*.test.ts"],
          globalSetup: ["test/temporary-folder.ts", "test/engine/global-setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
