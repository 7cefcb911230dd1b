/**
 * `npm run health:coverage`: how much of `provider/` all tests run. What runs in the processes of providers and of the
 * command line counts too. `-- --project <name>` runs some parts of the tests alone.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { mergeProcessCovs } from "@bcoe/v8-coverage";

const root = resolve(import.meta.dirname, "../..");
const inRoot = (...path) => join(root, ...path);
const tool = (name) => inRoot("node_modules", ".bin", name);

/** A file with less is printed. */
const WANTED_PERCENT = 95;

const scratch = mkdtempSync(join(tmpdir(), "coverage-"));
const [taken, merged] = ["taken", "merged"].map((name) => join(scratch, name));
for (const folder of [taken, merged]) mkdirSync(folder);
try {
  run(tool("tsc"), ["-p", "tsconfig.build.json", "--sourceMap"]);
  const tests = run(
    tool("vitest"),
    ["run", "--config", "test/health/vitest.coverage.config.mjs", ...process.argv.slice(2)],
    {
      COVERAGE_FOLDER: taken,
      COVERAGE_OF: inRoot("dist"),
      NODE_OPTIONS: `--import ${pathToFileURL(inRoot("test", "health", "take-coverage.mjs")).href}`,
    },
  );
  writeFileSync(join(merged, "coverage.json"), JSON.stringify(mergeTaken()));
  const report = ["--temp-directory", merged, "--reports-dir", scratch, "--reporter", "json-summary"];
  run(tool("c8"), ["report", ...report, "--exclude-after-remap", "--include", "provider/**"]);
  print(JSON.parse(readFileSync(join(scratch, "coverage-summary.json"), "utf8")));
  process.exitCode = tests;
} finally {
  // Without source maps, as it is published.
  run(process.execPath, [inRoot("test", "build.mjs")]);
  rmSync(scratch, { recursive: true, force: true });
}

function mergeTaken() {
  let all = { result: [] };
  for (const file of readdirSync(taken)) {
    const lines = readFileSync(join(taken, file), "utf8").split("\n");
    // A process that was killed may have left half a line.
    const whole = lines.filter((line) => line.endsWith("]}"));
    all = mergeProcessCovs([all, ...whole.map((line) => JSON.parse(line))]);
  }
  return all;
}

/** Prints what c8 writes as `coverage-summary.json`. */
function print({ total, ...files }) {
  for (const [file, { lines, branches }] of Object.entries(files))
    if (Math.min(lines.pct, branches.pct) < WANTED_PERCENT)
      console.log(`${file.slice(root.length + 1)}: ${lines.pct} % of lines, ${branches.pct} % of branches`);
  console.log(`coverage: ${total.lines.pct} % of lines, ${total.branches.pct} % of branches`);
}

/** @returns the exit status */
function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  return status;
}
