import { expect, test } from "vitest";
import { allCells, isSlow } from "../faults/cells";
import { Random } from "../faults/random";
import { isKept, printBroken } from "../faults/report";
import { runChaos } from "../faults/run-chaos";
import { runMatrix } from "../faults/run-matrix";
import { isSshdAvailable } from "../simulator";

/** The same sample each time, so that a change is to blame for a failure; the whole matrix is `npm run test:faults`. */
const SAMPLE = { cells: 24, seed: 1 };

test.runIf(isSshdAvailable())(
  "a sample of the fault matrix keeps its promises",
  { timeout: 180_000 },
  async () => {
    const quick = allCells().filter((cell) => !isSlow(cell));
    const results = await runMatrix(new Random(SAMPLE.seed).sample(quick, SAMPLE.cells));
    expect(results).toHaveLength(SAMPLE.cells);
    // What it says names the cell: `npm run test:faults -- --only '<its name>'` runs it again.
    expect(results.filter((result) => !isKept(result)).map(printBroken)).toEqual([]);
  },
);

test.runIf(isSshdAvailable())(
  "faults at random leave nothing on the host, and nothing open in the process",
  { timeout: 180_000 },
  async () => {
    // A small form of `npm run test:chaos`.
    const { held, leftovers, stuck, unclear } = await runChaos({ seed: 1, discs: 15, warmUp: 0 });
    expect({ leftovers, stuck, unclear }).toEqual({ leftovers: [], stuck: [], unclear: [] });
    expect(held.end.connections).toBe(0);
    expect(held.end.openFiles).toBeLessThanOrEqual(held.warm.openFiles);
  },
);

test("the matrix has no less than a hundred cells", () => {
  expect(allCells().length).toBeGreaterThanOrEqual(100);
});
