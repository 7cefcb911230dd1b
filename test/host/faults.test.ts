import { expect, test } from "vitest";
import { allCells, isSlow } from "../faults/cells";
import { Random } from "../faults/random";
import { isKept, printBroken } from "../faults/report";
import { runChaos } from "../faults/run-chaos";
import { runMatrix } from "../faults/run-matrix";
import { runWriters } from "../faults/run-writers";
import { isSshdAvailable } from "../simulator";

const nothingWrong = { leftovers: [], stuck: [], damaged: [], unclear: [] };

/** The same sample each time, so that a change is to blame for a failure; the whole matrix is `npm run test:faults`. */
const SAMPLE = { cells: 24, seed: 1 };

test.runIf(isSshdAvailable()).each([
  ["dynamic", SAMPLE],
  ["plugin", { ...SAMPLE, seed: 2 }],
] as const)(
  "a sample of the fault matrix keeps its promises by way of the %s door",
  { timeout: 180_000 },
  async (door, { cells, seed }) => {
    const quick = allCells().filter((cell) => !isSlow(cell));
    const results = await runMatrix(new Random(seed).sample(quick, cells), undefined, door);
    expect(results).toHaveLength(cells);
    // Run a broken cell again with `npm run test:faults -- --door '<door>' --only '<its name>'`.
    expect(results.filter((result) => !isKept(result)).map(printBroken)).toEqual([]);
  },
);

test.runIf(isSshdAvailable())(
  "faults at random leave nothing on the host, and nothing open in the process",
  { timeout: 180_000 },
  async () => {
    // A small form of `npm run test:chaos`.
    const { held, ...found } = await runChaos({ seed: 1, discs: 15, warmUp: 0 });
    expect(found).toMatchObject(nothingWrong);
    expect(held[0]?.end.connections).toBe(0);
    expect(held[0]?.end.openFiles).toBeLessThanOrEqual(held[0]!.warm.openFiles);
  },
);

test.runIf(isSshdAvailable())(
  "faults at random while two processes share a host leave nothing, and take nothing from a live disc",
  { timeout: 180_000 },
  async () => {
    await expect(runChaos({ seed: 2, discs: 10, warmUp: 0, processes: 2 })).resolves.toMatchObject(
      nothingWrong,
    );
  },
);

test.runIf(isSshdAvailable()).each([1, 2])(
  "a process that is killed takes nothing from the discs of another one (seed %i)",
  { timeout: 180_000 },
  async (seed) => {
    const { kills, ...found } = await runWriters({ seed, discs: 100 });
    expect(kills).toBeGreaterThan(0);
    expect(found).toMatchObject({ failures: [], damaged: [], stuck: [], leftovers: [] });
  },
);

test("the matrix has no less than a hundred cells", () => {
  expect(allCells().length).toBeGreaterThanOrEqual(100);
});
