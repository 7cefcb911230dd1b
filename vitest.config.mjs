import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    passWithNoTests: false,
    // A test waits for another program most of the time, so one worker for each core, all cores.
    maxWorkers: "100%",
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000 } },
      {
        test: {
          name: "host",
          include: ["test/host/**/*.test.ts", "test/simulator/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts", "test/states/**/*.test.ts", "test/demo/**/*.test.ts"],
          globalSetup: "test/engine/global-setup.ts",
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
