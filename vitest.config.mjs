import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Whoever runs the tests has an own ~/.ssh/config.
const HOME = mkdtempSync(join(tmpdir(), "xen-iso-home-"));
process.on("exit", () => rmSync(HOME, { recursive: true, force: true }));

export default defineConfig({
  test: {
    passWithNoTests: false,
    // A test waits for another program most of the time, so one worker for each core, all cores.
    maxWorkers: "100%",
    // Of threads, which the unit tests alone use. Loading modules anew for each file would take most of their time.
    poolOptions: { threads: { isolate: false } },
    reporters: ["default", "./test/parts-reporter.mjs"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          pool: "threads",
          setupFiles: "test/unit/reset.ts",
          unstubEnvs: true,
          sequence: { groupOrder: 0 },
          globalSetup: "test/temporary-folder.ts",
          // No other program is started, not even ssh by a check.
          env: { PATH: "/nonexistent" },
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "process",
          include: ["test/process/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          globalSetup: "test/temporary-folder.ts",
          env: { HOME },
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "remote",
          include: ["test/remote/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          globalSetup: "test/temporary-folder.ts",
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "host",
          include: ["test/host/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          globalSetup: "test/temporary-folder.ts",
          env: { HOME },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "package",
          include: ["test/package/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          globalSetup: "test/temporary-folder.ts",
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: "engine",
          include: ["test/engine/**/*.test.ts", "test/demo/**/*.test.ts", "test/states/*.test.ts"],
          sequence: { groupOrder: 1 },
          globalSetup: ["test/temporary-folder.ts", "test/engine/global-setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: "docs",
          include: ["test/docs/**/*.test.ts"],
          sequence: { groupOrder: 1 },
          globalSetup: ["test/temporary-folder.ts", "test/engine/global-setup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
