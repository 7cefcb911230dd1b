/**
 * `npm run health:coverage`: how much of `provider/` all tests run, with the comparison of logins and a sample of the
 * fault matrix. What runs in the processes of providers and of the command line counts too. Fails if the whole, or a module without a reason in `coverage-reasons.mjs`, has too little.
 * `-- --project <name>` runs some parts of the tests alone, and only prints.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { mergeProcessCovs } from "@bcoe/v8-coverage";
import { reasons } from "./coverage-reasons.mjs";

const root = resolve(import.meta.dirname, "../..");
const inRoot = (...path) => join(root, ...path);
const tool = (name) => inRoot("node_modules", ".bin", name);

/** Of lines and of branches, of a module without a reason. */
const WANTED_PERCENT = 95;

/** A default that the compiler wants for a value that is always there. It is no branch of the program's. */
const COMPILERS_DEFAULT = /^\?\? (?:""|0|\[\]|\{\})$/;

/** Of lines and of branches, of all modules together. */
const WANTED_PERCENT_OF_ALL = { lines: 98, branches: 95 };

/** Tests that are programs of their own. */
const OTHER_TESTS = [
  ["tsx", "test/ssh/parity.ts"],
  ["tsx", "test/faults/matrix.ts", "--sample", "160", "--seed", "1"],
];

const scratch = mkdtempSync(join(tmpdir(), "coverage-"));
const [taken, merged] = ["taken", "merged"].map((name) => join(scratch, name));
for (const folder of [taken, merged]) mkdirSync(folder);
try {
  run(tool("tsc"), ["-p", "tsconfig.build.json", "--sourceMap"]);
  const isWhole = process.argv.length === 2;
  const environment = {
    COVERAGE_FOLDER: taken,
    COVERAGE_OF: inRoot("dist"),
    NODE_OPTIONS: `--import ${pathToFileURL(inRoot("test", "health", "take-coverage.mjs")).href}`,
  };
  const programs = [
    ["vitest", "run", "--config", "test/health/vitest.coverage.config.mjs", ...process.argv.slice(2)],
    ...(isWhole ? OTHER_TESTS : []),
  ];
  const statuses = programs.map(([name, ...args]) => run(tool(name), args, environment));
  writeFileSync(join(merged, "coverage.json"), JSON.stringify(mergeTaken()));
  const report = ["--temp-directory", merged, "--reports-dir", scratch];
  const reporters = ["--reporter", "json-summary", "--reporter", "json"];
  run(tool("c8"), ["report", ...report, ...reporters, "--exclude-after-remap", "--include", "provider/**"]);
  const [summary, details] = ["coverage-summary.json", "coverage-final.json"].map((name) =>
    JSON.parse(readFileSync(join(scratch, name), "utf8")),
  );
  const faults = print(summary, details);
  if (isWhole) for (const fault of faults) console.error(fault);
  const isGood = statuses.every((status) => status === 0) && (!isWhole || faults.length === 0);
  process.exitCode = isGood ? 0 : 1;
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

/**
 * Prints what c8 writes as `coverage-summary.json` and `coverage-final.json`.
 *
 * @returns what is not as it should be
 */
function print({ total, ...files }, details) {
  const faults = [];
  const modules = Object.entries(files).map(([file, { lines }]) => ({
    file: file.slice(root.length + 1),
    lines,
    branches: branchesOf(file, details[file]),
  }));
  const all = { lines: total.lines, branches: sumOf(modules.map(({ branches }) => branches)) };
  for (const { file, lines, branches } of modules) {
    if (Math.min(lines.pct, branches.pct) >= WANTED_PERCENT) continue;
    const reason = reasons[file];
    console.log(`${file}: ${textOf({ lines, branches })}. ${reason ?? "No reason is given."}`);
    if (!reason)
      faults.push(`${file} is under ${WANTED_PERCENT} %: test it, or give a reason in coverage-reasons.mjs.`);
  }
  for (const file of Object.keys(reasons))
    if (!modules.some((each) => each.file === file))
      faults.push(`coverage-reasons.mjs names ${file}, which does not exist.`);
  for (const [kind, wanted] of Object.entries(WANTED_PERCENT_OF_ALL))
    if (all[kind].pct < wanted) faults.push(`All ${kind} together are under ${wanted} %.`);
  console.log(`coverage: ${textOf(all)} (${total.branches.pct} % with the defaults that the compiler wants)`);
  return faults;
}

/** The branches of a module, without the {@link COMPILERS_DEFAULT}s that nothing has taken. */
function branchesOf(file, { branchMap, b: counts }) {
  const source = readFileSync(file, "utf8").split("\n");
  const isDefault = ({ start, end }) =>
    start.line === end.line &&
    COMPILERS_DEFAULT.test(source[start.line - 1].slice(start.column, end.column).trim());
  const branches = Object.entries(branchMap).flatMap(([id, { locations }]) =>
    locations.map((location, index) => ({ location, count: counts[id][index] })),
  );
  const taken = branches.filter(({ count }) => count > 0);
  const left = branches.filter(({ location, count }) => count === 0 && !isDefault(location));
  return sumOf([{ total: taken.length + left.length, covered: taken.length }]);
}

/** c8 calls a module without branches covered, too. */
function sumOf(figures) {
  const [total, covered] = ["total", "covered"].map((name) =>
    figures.reduce((sum, each) => sum + each[name], 0),
  );
  return { total, covered, pct: total === 0 ? 100 : Math.floor((covered / total) * 10_000) / 100 };
}

function textOf({ lines, branches }) {
  return `${lines.pct} % of lines, ${branches.pct} % of branches`;
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
