import { setConfiguration } from "../host/resource";
import { type Cell, isSlow } from "./cells";
import { makeImages } from "./images";
import { inLanes } from "./lanes";
import { type CellResult, runCell } from "./run-cell";
import type { DoorName } from "./site";

/** Cells that wait for a limit run side by side; the others cost work, and run a few at a time. */
const LANES = { slow: 20, quick: 4 };

/**
 * Runs cells side by side, each on a host of its own.
 *
 * @param onResult told of each as it ends
 */
export async function runMatrix(
  cells: readonly Cell[],
  onResult: (result: CellResult) => void = () => undefined,
  door?: DoorName,
): Promise<CellResult[]> {
  // Each host has a listener that removes its folder.
  process.setMaxListeners(2 * (LANES.slow + LANES.quick));
  await setConfiguration();
  const images = makeImages();
  const run = async (cell: Cell) => {
    const result = await runCell(cell, images, door);
    onResult(result);
    return result;
  };
  const slow = cells.filter(isSlow);
  const quick = cells.filter((cell) => !isSlow(cell));
  const results = await Promise.all([inLanes(slow, LANES.slow, run), inLanes(quick, LANES.quick, run)]);
  return results.flat();
}
