// Stryker changes what the project promises about text and bytes: commands of xe, quoting, images, check and diff.
export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "test/health/vitest.mutation.config.mjs", related: false },
  mutate: [
    "provider/xe/*.ts",
    "provider/ssh/sh.ts",
    "provider/iso/*.ts",
    "provider/lifecycle/{inputs,arguments,connection,problems,iso-attachment-inputs,assets,unknown,serialised}.ts",
  ],
  coverageAnalysis: "perTest",
  // One that runs in the loading of a module: all tests would have to load it anew.
  ignoreStatic: true,
  thresholds: { high: 95, low: 85, break: 85 },
  reporters: ["clear-text"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: ".stryker",
};
