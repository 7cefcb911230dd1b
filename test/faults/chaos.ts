/**
 * `npm run test:chaos`: creates and deletes on one host, a few at a time, with faults at random. In the end nothing is
 * left on the host, nothing was taken from a live disc, and each process holds what it held after the warm-up.
 *
 * `--processes <n>` (1): provider processes, each with a stack of its own. `--discs <n>` (300): for each process.
 * `--seed <n>` repeats the choice of faults; their timing depends on the machine.
 */
import { parseArgs } from "node:util";
import { newSeed } from "./random";
import type { Held } from "./resources";
import { type ChaosResult, isLevel, runChaos } from "./run-chaos";

const WARM_UP = 60;

/** How long the process may take to exit: longer, and something in it still waits. */
const END_MS = 10_000;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seed: { type: "string" }, discs: { type: "string" }, processes: { type: "string" } },
  });
  const discs = Number(values.discs ?? 300);
  const processes = Number(values.processes ?? 1);
  const seed = Number(values.seed ?? newSeed());
  console.log(`seed: ${seed}`);
  const startedAt = Date.now();
  const warmUp = Math.min(WARM_UP, discs);
  const result = await runChaos({ seed, discs, warmUp, processes });
  print(result, { discs: discs * processes, warmUp });
  console.log(`${Math.round((Date.now() - startedAt) / 1_000)} s`);
  const { leftovers, stuck, damaged, unclear, held } = result;
  console.log(`damaged: ${damaged.length}, leftovers: ${leftovers.length}`);
  const isGood = [leftovers, stuck, damaged, unclear].every(({ length }) => length === 0);
  process.exitCode = isGood && held.every(isLevel) ? 0 : 1;
  failUnlessItEnds();
}

function print(
  { held, failures, unclear, stuck, damaged, leftovers }: ChaosResult,
  { discs, warmUp }: { discs: number; warmUp: number },
): void {
  for (const message of unclear) console.log(`unclear: ${message}`);
  for (const disc of stuck) console.log(`failed again and again: ${disc}`);
  for (const what of damaged) console.log(`damaged: ${what}`);
  for (const left of leftovers) console.log(`left: ${left}`);
  const counts = `creates: ${discs}, deletes: ${discs}, failed and run again: ${failures.length}`;
  console.log(`${counts}, unclear: ${unclear.length}, stuck: ${stuck.length}`);
  held.forEach((each, index) => {
    if (held.length > 1) console.log(`process ${index + 1}:`);
    console.log(`at the beginning: ${textOf(each.begin)}`);
    console.log(`after ${warmUp} discs: ${textOf(each.warm)}`);
    console.log(`at the end: ${textOf(each.end)} (${isLevel(each) ? "level" : "NOT level"})`);
  });
}

function textOf({ residentMib, heapMib, openFiles, connections }: Held): string {
  return `${residentMib} MiB resident, ${heapMib} MiB heap, ${openFiles} open files, ${connections} connections`;
}

function failUnlessItEnds(): void {
  setTimeout(() => {
    console.log(`The process does not exit: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(1);
  }, END_MS).unref();
}

void main();
