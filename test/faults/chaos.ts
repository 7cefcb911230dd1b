/**
 * `npm run test:chaos`: creates and deletes in one process, a few at a time, with faults at random. In the end
 * nothing is left on the host, and the process holds what it held after the first of them.
 *
 * `--seed <n>` chooses the same faults again; when they strike is up to the machine. `--discs <n>` (300).
 */
import { parseArgs } from "node:util";
import { newSeed } from "./random";
import type { Held } from "./resources";
import { type ChaosResult, isLevel, runChaos } from "./run-chaos";

const WARM_UP = 60;

/** How long the process may take to end once all is done: longer, and something still waits in it. */
const END_MS = 10_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seed: { type: "string" }, discs: { type: "string" } } });
  const discs = Number(values.discs ?? 300);
  const seed = Number(values.seed ?? newSeed());
  console.log(`seed: ${seed}`);
  const startedAt = Date.now();
  const result = await runChaos({ seed, discs, warmUp: WARM_UP });
  print(result, discs);
  console.log(`${Math.round((Date.now() - startedAt) / 1_000)} s`);
  const { leftovers, stuck, unclear, held } = result;
  console.log(`leftovers: ${leftovers.length}`);
  process.exitCode = leftovers.length + stuck.length + unclear.length === 0 && isLevel(held) ? 0 : 1;
  failUnlessItEnds();
}

function print({ held, failures, unclear, stuck, leftovers }: ChaosResult, discs: number): void {
  for (const message of unclear) console.log(`unclear: ${message}`);
  for (const disc of stuck) console.log(`failed again and again: ${disc}`);
  for (const left of leftovers) console.log(`left: ${left}`);
  const counts = `creates: ${discs}, deletes: ${discs}, failed and run again: ${failures.length}`;
  console.log(`${counts}, unclear: ${unclear.length}, stuck: ${stuck.length}`);
  console.log(`at the beginning: ${textOf(held.begin)}`);
  console.log(`after ${Math.min(WARM_UP, discs)} discs: ${textOf(held.warm)}`);
  console.log(`at the end: ${textOf(held.end)} (${isLevel(held) ? "level" : "NOT level"})`);
}

function textOf({ residentMib, heapMib, openFiles, connections }: Held): string {
  return `${residentMib} MiB resident, ${heapMib} MiB heap, ${openFiles} open files, ${connections} connections`;
}

function failUnlessItEnds(): void {
  setTimeout(() => {
    console.log(`The process does not end: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(1);
  }, END_MS).unref();
}

void main();
