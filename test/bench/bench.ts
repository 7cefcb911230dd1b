/**
 * `npm run bench`: how fast discs are made, against everything else that could make them, in one run, side by side.
 * Prints a table of ratios and writes it to `test/bench/results`. Fails on what can be counted, never on a time.
 *
 * `-- --quick` does it in small and writes nothing; `-- --only <regular expression>` runs the parts whose name
 * matches; `-- --table` prints the results of the last full run in Markdown; `-- --against <folder>` compares with the
 * provider of another clone, with its packages installed, instead.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawChart } from "./chart";
import { describeMachine } from "./machine";
import { FULL, type Plan, QUICK } from "./plan";
import { printMarkdown, printResults } from "./report";
import { type Findings, isWithin, type Parts, type Results } from "./result";
import { against } from "./rows/against";
import { check } from "./rows/check";
import { farHost } from "./rows/far-host";
import { importing } from "./rows/import";
import { manyDiscs } from "./rows/many-discs";
import { memory } from "./rows/memory";
import { oneImage } from "./rows/one-image";
import { pool } from "./rows/pool";
import { sameImage } from "./rows/same-image";
import { steps } from "./rows/steps";
import { makeScratch } from "./scratch";

/** In the order of the table. */
const PARTS: Parts = {
  "one image": oneImage,
  "far host": farHost,
  "same image": sameImage,
  "many discs": manyDiscs,
  pool,
  memory,
  check,
  import: importing,
  steps,
};

const RESULTS = join(__dirname, "results");
const JSON_FILE = join(RESULTS, "bench.json");

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: {
      quick: { type: "boolean" },
      only: { type: "string" },
      table: { type: "boolean" },
      against: { type: "string" },
    },
  });
  if (options.table) {
    console.log(printMarkdown(JSON.parse(readFileSync(JSON_FILE, "utf8")) as Results));
    return;
  }
  const parts = options.against === undefined ? PARTS : against(options.against);
  const results = await run(options.quick ? QUICK : FULL, parts, new RegExp(options.only ?? ""));
  console.log(`\n${printResults(results)}`);
  if (parts === PARTS && !options.quick && options.only === undefined) write(results);
  process.exitCode = results.counts.every(isWithin) ? 0 : 1;
}

async function run(plan: Plan, parts: Parts, only: RegExp): Promise<Results> {
  const startedAt = Date.now();
  const scratch = makeScratch(plan.neededBytes);
  const findings: Findings[] = [];
  for (const [name, part] of Object.entries(parts).filter(([each]) => only.test(each))) {
    const folder = mkdtempSync(join(scratch.folder, "images-"));
    console.log(`${String(Math.round((Date.now() - startedAt) / 1_000)).padStart(4)} s  ${name}`);
    // One that fails keeps nobody from seeing the others.
    findings.push(await part(plan, folder).catch((error: unknown) => failed(name, error)));
    rmSync(folder, { recursive: true });
  }
  return {
    isQuick: plan.isQuick,
    machine: await describeMachine(scratch.description),
    rows: findings.flatMap(({ rows }) => rows),
    counts: findings.flatMap(({ counts = [] }) => counts),
  };
}

function failed(name: string, error: unknown): Findings {
  console.error(error instanceof Error ? error.message : error);
  return { rows: [], counts: [{ what: `failures in "${name}"`, value: 1, atMost: 0 }] };
}

function write(results: Results): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(JSON_FILE, `${JSON.stringify(results, null, 2)}\n`);
  writeFileSync(join(RESULTS, "bench.svg"), drawChart(results));
}

void main();
