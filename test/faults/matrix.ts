/**
 * `npm run test:faults`: every fault at every remote step, over a real sshd and the simulated toolstack.
 *
 * `--only <regular expression>` runs the cells whose name matches ("create / upload"), `--sample <n>` a random
 * sample of so many, by `--seed <n>`. `--door plugin` reaches the code by way of the provider plugin, as the engine does.
 */
import { parseArgs } from "node:util";
import { allCells, type Cell } from "./cells";
import { newSeed, Random } from "./random";
import { isKept, printBroken, printCounts, printMatrix, printSkipped } from "./report";
import type { CellResult } from "./run-cell";
import { runMatrix } from "./run-matrix";
import { isDoor } from "./site";

async function main(): Promise<void> {
  const startedAt = Date.now();
  const { door = "dynamic", ...choice } = options();
  if (!isDoor(door)) throw new Error(`--door ${door}: there is dynamic, the default, and plugin.`);
  const cells = chosenCells(choice);
  let done = 0;
  const onResult = (result: CellResult) => {
    done++;
    if (!isKept(result)) console.log(printBroken(result));
    else if (process.stdout.isTTY) process.stdout.write(`${done} of ${cells.length}\r`);
  };
  const results = await runMatrix(cells, onResult, door);
  console.log(`\n${printMatrix(results)}\n\n${printSkipped()}\n`);
  console.log(`${Math.round((Date.now() - startedAt) / 1_000)} s`);
  console.log(printCounts(results));
  process.exitCode = results.every(isKept) && results.length > 0 ? 0 : 1;
}

function options() {
  const text = { type: "string" } as const;
  return parseArgs({ options: { only: text, sample: text, seed: text, door: text } }).values;
}

function chosenCells(values: Pick<ReturnType<typeof options>, "only" | "sample" | "seed">): Cell[] {
  const only = new RegExp(values.only ?? "");
  const cells = allCells().filter(({ name }) => only.test(name));
  if (values.sample === undefined) return cells;
  const seed = Number(values.seed ?? newSeed());
  console.log(`seed: ${seed}`);
  return new Random(seed).sample(cells, Number(values.sample));
}

void main();
