/**
 * `npm run bench:links`: one image over slow, far and bad links, and scp over the same link after it. Prints a table.
 * Each link is one between network namespaces of its own, with a real sshd behind it; needs root on Linux.
 *
 * Fails unless each upload takes one login, arrives whole and reports no more than what has arrived, and, without
 * `--quick`, is as fast as scp. `-- --quick` takes a sample; `-- --only <regular expression>` the links that match.
 */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { inLanes } from "../faults/lanes";
import { KIB, MIB, sizeName } from "./images";
import type { CellOrder, CellResult } from "./links/cell";
import type { LinkQuality } from "./links/network";

/** How long a transfer should take. */
const FULL_SECONDS = 30;
const QUICK_SECONDS = 8;

/** Most of the time a cell waits for its link. */
const LANES = 4;

/** scp's seconds by ours. */
const LEAST_RATIO = 0.95;

/** What dd, its pipe and sshd hold of each of six streams. */
const HELD_BYTES = 256 * KIB;
const STREAMS = 6;
const LEAST_FOR_STREAMS_BYTES = 8 * MIB;

const ALL: LinkQuality[] = [256e3, 2e6, 20e6].flatMap((bitsPerSecond) =>
  [0, 50, 300].flatMap((roundTripMs) =>
    [0, 1].map((lossPercent) => ({ bitsPerSecond, roundTripMs, lossPercent })),
  ),
);

const SAMPLE: LinkQuality[] = [
  { bitsPerSecond: 2e6, roundTripMs: 50, lossPercent: 1 },
  { bitsPerSecond: 20e6, roundTripMs: 300, lossPercent: 0 },
];

interface Row extends CellResult {
  readonly order: CellOrder;
  readonly isTrue: boolean;
  readonly ratio: number;
}

async function main(): Promise<void> {
  const { values: options } = parseArgs({
    options: { quick: { type: "boolean" }, only: { type: "string" } },
  });
  if (process.geteuid?.() !== 0) throw new Error("Links are made of network namespaces: run this as root.");
  const only = new RegExp(options.only ?? "");
  const orders = (options.quick ? SAMPLE : ALL)
    .filter((quality) => only.test(nameOf(quality)))
    .map((quality) => ({
      quality,
      imageBytes: bytesFor(quality, options.quick ? QUICK_SECONDS : FULL_SECONDS),
    }));
  console.log(HEADER);
  const rows = await inLanes(orders, LANES, async (order) => {
    const row = await run(order);
    console.log(lineOf(row));
    return row;
  });
  const isGood = (row: Row) =>
    row.logins === 1 && row.isWhole && row.isTrue && (options.quick || row.ratio >= LEAST_RATIO);
  console.log(`links: ${rows.length}, good: ${rows.filter(isGood).length}`);
  process.exitCode = rows.every(isGood) ? 0 : 1;
}

/** As much as the link carries in that time; with loss, what one TCP connection gets of it (Mathis et al. 1997). */
function bytesFor({ bitsPerSecond, roundTripMs, lossPercent }: LinkQuality, seconds: number): number {
  const lossBytes = (1_448 / (roundTripMs / 1_000)) * Math.sqrt(1.5 / (lossPercent / 100));
  const bytes = Math.min(bitsPerSecond / 8, lossBytes) * seconds;
  return Math.max(1, Math.round((bytes / MIB) * 8) / 8) * MIB;
}

async function run(order: CellOrder): Promise<Row> {
  const words = ["--net", process.execPath, "--import", "tsx", require.resolve("./links/cell.ts")];
  const child = spawn("unshare", [...words, JSON.stringify(order)], { stdio: ["ignore", "pipe", "inherit"] });
  const result = JSON.parse(await text(child.stdout)) as CellResult;
  const streams = order.imageBytes < LEAST_FOR_STREAMS_BYTES ? 1 : STREAMS;
  const isTrue = result.aheadBytes <= streams * HELD_BYTES;
  return { ...result, order, isTrue, ratio: result.scpSeconds / result.seconds };
}

const COLUMNS = [12, 8, 6, 11, 7, 9, 9, 7, 6, 11];
const columns = (...cells: readonly (string | number)[]) =>
  cells.map((cell, index) => String(cell).padStart(COLUMNS[index] ?? 0)).join("");

const HEADER = columns(
  ...["rate", "delay", "loss", "image", "logins", "seconds", "scp's", "ratio", "whole", "progress"],
);

function lineOf({ order, logins, seconds, scpSeconds, isWhole, isTrue, ratio }: Row): string {
  const { quality, imageBytes } = order;
  return columns(
    ...[rateOf(quality), `${quality.roundTripMs} ms`, `${quality.lossPercent} %`, sizeName(imageBytes)],
    ...[logins, seconds.toFixed(1), scpSeconds.toFixed(1), ratio.toFixed(2)],
    ...[isWhole ? "yes" : "NO", isTrue ? "true" : "AHEAD"],
  );
}

const rateOf = ({ bitsPerSecond }: LinkQuality) =>
  bitsPerSecond < 1e6 ? `${bitsPerSecond / 1e3} kbit/s` : `${bitsPerSecond / 1e6} Mbit/s`;

const nameOf = (quality: LinkQuality) =>
  `${rateOf(quality)} ${quality.roundTripMs} ms ${quality.lossPercent} %`;

void main();
