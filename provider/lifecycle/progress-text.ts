import type { Progress } from "../host/progress";
import { durationText, sizeText } from "../text/units";

/**
 * The text in the resource's row: `uploading 43 % of 1.2 GiB, 231 MiB/s, 3 s left`.
 *
 * @param bytesPerSecond of an upload, if known
 */
export function progressText(progress: Progress, bytesPerSecond?: number): string {
  switch (progress.step) {
    case "downloading":
      return `downloading ${amountText(progress.receivedBytes, progress.totalBytes)}`;
    case "uploading":
      return uploadText(progress, bytesPerSecond);
    case "waiting for VDI":
      return progress.attempt > 1 ? `waiting for VDI (${ordinal(progress.attempt)} try)` : "waiting for VDI";
    case "ejecting":
      return `disc in use by ${oneLine(progress.holder)}, ejecting`;
    case "creating SR":
    case "waiting for another create of the same resource":
      return progress.step;
  }
}

/** Measures the rate of the last seconds in bytes per second; undefined until there are enough samples. */
export class RateMeter {
  readonly #samples: { readonly bytes: number; readonly atMs: number }[] = [];

  /** Adds a sample: the number of bytes so far. A smaller number than before restarts the measurement. */
  add(bytes: number, atMs: number): void {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples.length = 0;
    else if (last && atMs - last.atMs < SAMPLE_MS) return;
    this.#samples.push({ bytes, atMs });
    while (this.#samples[1] && atMs - this.#samples[1].atMs >= WINDOW_MS) this.#samples.shift();
  }

  get bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs - first.atMs < LEAST_MS) return undefined;
    return ((last.bytes - first.bytes) * 1_000) / (last.atMs - first.atMs);
  }
}

/** Long enough for a steady rate, short enough to notice a link that slows down. */
const WINDOW_MS = 5_000;

const SAMPLE_MS = 100;

/** The first bytes only fill buffers and say nothing about the link. */
const LEAST_MS = 500;

function uploadText(
  { sentBytes, totalBytes }: { sentBytes: number; totalBytes?: number },
  bytesPerSecond: number | undefined,
): string {
  const parts = [`uploading ${amountText(sentBytes, totalBytes)}`];
  if (bytesPerSecond) {
    parts.push(`${sizeText(bytesPerSecond)}/s`);
    if (totalBytes !== undefined && sentBytes < totalBytes)
      parts.push(`${durationText((totalBytes - sentBytes) / bytesPerSecond)} left`);
  }
  return parts.join(", ");
}

function amountText(sentBytes: number, totalBytes: number | undefined): string {
  if (totalBytes === undefined) return sizeText(sentBytes);
  const percent = totalBytes === 0 ? 100 : Math.floor((sentBytes / totalBytes) * 100);
  return `${percent} % of ${sizeText(totalBytes)}`;
}

/** Correct up to 20; there are fewer attempts than that. */
function ordinal(count: number): string {
  return `${count}${{ 1: "st", 2: "nd", 3: "rd" }[count] ?? "th"}`;
}

/** A VM's name is untrusted: control characters could steer the terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ");
}
