import { setConfiguration } from "../host/resource";
import { type Cell, isSlow } from "./cells";
import { makeImages } from "./images";
import { inLanes } from "./lanes";
import { type CellResult, runCell } from "./run-cell";
import type { DoorName } from "./site";

/**
 * Cells that wait for a limit run side by side; the others cost work, and run a few at a time. By way of the plugin,
 * each has a process of its own.
 */
const LANES = { dynamic: { slow: 20, quick: 4 }, plugin: { slow: 8, quick: 3 } } as const;

/**
 * Runs cells side by side, each on a host of its own.
 *
 * @param onResult told of each as it ends
 */
export async function runMatrix(
  cells: readonly Cell[],
  onResult: (result: CellResult) => void = () => undefined,
  door: DoorName = "dynamic",
): Promise<CellResult[]> {
  const lanes = LANES[door];
  await setConfiguration();
  const images = makeImages();
  const run = async (cell: Cell) => {
    const result = await runCell(cell, images, door);
    onResult(result);
    return result;
  };
  const slow = cells.filter(isSlow);
  const quick = cells.filter((cell) => !isSlow(cell));
  const results = await Promise.all([inLanes(slow, lanes.slow, run), inLanes(quick, lanes.quick, run)]);
  return results.flat();
}
