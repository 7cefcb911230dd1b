/**
 * `npm run test:faults`: every fault at every remote step, over a real sshd and the simulated toolstack.
 *
 * `--only <regular expression>` runs the cells whose name matches ("create / upload"), `--sample <n>` a random
 * sample of so many, by `--seed <n>`.
 */
import { parseArgs } from "node:util";
import { allCells, type Cell } from "./cells";
import { newSeed, Random } from "./random";
import { isKept, printBroken, printCounts, printMatrix, printSkipped } from "./report";
import { runMatrix } from "./run-matrix";

async function main(): Promise<void> {
  const startedAt = Date.now();
  const cells = chosenCells();
  let done = 0;
  const results = await runMatrix(cells, (result) => {
    done++;
    if (!isKept(result)) console.log(printBroken(result));
    else if (process.stdout.isTTY) process.stdout.write(`${done} of ${cells.length}\r`);
  });
  console.log(`\n${printMatrix(results)}\n\n${printSkipped()}\n`);
  console.log(`${Math.round((Date.now() - startedAt) / 1_000)} s`);
  console.log(printCounts(results));
  process.exitCode = results.every(isKept) && results.length > 0 ? 0 : 1;
}

function chosenCells(): Cell[] {
  const { values } = parseArgs({
    options: { only: { type: "string" }, sample: { type: "string" }, seed: { type: "string" } },
  });
  const only = new RegExp(values.only ?? "");
  const cells = allCells().filter(({ name }) => only.test(name));
  if (values.sample === undefined) return cells;
  const seed = Number(values.seed ?? newSeed());
  console.log(`seed: ${seed}`);
  return new Random(seed).sample(cells, Number(values.sample));
}

void main();
