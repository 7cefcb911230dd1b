// Stryker changes what the project promises about text and bytes: commands of xe, quoting, images, check and diff. Not
// ssh-target.ts: its tests need a home folder, which is one for all threads of a process.
import { readFileSync } from "node:fs";
import { join } from "node:path";

const lifecycle = "provider/lifecycle";

/** Single functions of a module whose rest needs a host. */
function functionsOf(file, names) {
  const lines = readFileSync(join(import.meta.dirname, "../..", file), "utf8").split("\n");
  return names.map((name) => {
    const first = lines.findIndex((line) => new RegExp(`^(export )?function ${name}\\b`).test(line));
    if (first === -1) throw new Error(`${file} has no function ${name}.`);
    return `${file}:${first + 1}-${lines.indexOf("}", first) + 1}`;
  });
}

export default {
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "test/health/vitest.mutation.config.mjs", related: false },
  mutate: [
    "provider/xe/*.ts",
    "provider/ssh/sh.ts",
    "provider/iso/*.ts",
    `${lifecycle}/{inputs,arguments,connection,problems,iso-attachment-inputs,assets,unknown,serialised}.ts`,
    `${lifecycle}/{image-files,locations,url-files}.ts`,
    "provider/plugin/diff.ts",
    ...functionsOf(`${lifecycle}/temp-iso.ts`, ["diff", "changedContent"]),
    ...functionsOf(`${lifecycle}/iso-attachment.ts`, ["diff", "isInsertDue"]),
    ...functionsOf(`${lifecycle}/iso-release.ts`, ["diff"]),
  ],
  coverageAnalysis: "perTest",
  // One that runs in the loading of a module: all tests would have to load it anew.
  ignoreStatic: true,
  thresholds: { high: 95, low: 85, break: 85 },
  reporters: ["clear-text"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  tempDirName: ".stryker",
};
