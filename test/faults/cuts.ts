/**
 * `npm run test:cuts`: kills the host's side of every connection at a random moment of a create, a resumed create, a
 * read or a delete. Each operation has to end, and nothing may be left once the user has run it again.
 *
 * `--cuts <n>` (500). `--seed <n>` repeats the choices; which command a cut meets depends on the machine.
 */
import { parseArgs } from "node:util";
import { newSeed } from "./random";
import { runCuts } from "./run-cuts";

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { seed: { type: "string" }, cuts: { type: "string" } } });
  const cuts = Number(values.cuts ?? 500);
  const seed = Number(values.seed ?? newSeed());
  console.log(`seed: ${seed}`);
  const startedAt = Date.now();
  const { hangs, leftovers, unfinished, failed, killed, longestMs } = await runCuts({ seed, cuts });
  for (const hang of hangs) console.log(`did not end: ${hang}`);
  for (const left of leftovers) console.log(`left: ${left}`);
  for (const disc of unfinished) console.log(`failed again and again: ${disc}`);
  const seconds = (ms: number) => Math.round(ms / 1_000);
  console.log(
    `${seconds(Date.now() - startedAt)} s; the longest operation took ${seconds(longestMs)} s; ` +
      `${killed} connections killed, ${cuts - failed} operations went on by themselves, ${failed} failed and were run again`,
  );
  console.log(`cuts: ${cuts}, hangs: ${hangs.length}, leftovers: ${leftovers.length}`);
  const isGood = [hangs, leftovers, unfinished].every(({ length }) => length === 0) && killed > 0;
  // What hangs would keep the process.
  process.exit(isGood ? 0 : 1);
}

void main();
