import { describe, expect, test } from "vitest";
import type { Progress } from "../../../provider/host/progress";
import { progressText, RateMeter } from "../../../provider/lifecycle/progress-text";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

test.each<[string, Progress, number | undefined]>([
  ["uploading 43 % of 1.2 GiB, 231 MiB/s, 3 s left", upload(0.439 * 1.2 * GIB, 1.2 * GIB), 231 * MIB],
  ["uploading 43 % of 1.2 GiB", upload(0.439 * 1.2 * GIB, 1.2 * GIB), undefined],
  ["uploading 99 % of 10 MiB, 5.0 MiB/s, 1 s left", upload(10 * MIB - 1, 10 * MIB), 5 * MIB],
  ["uploading 100 % of 10 MiB, 5.0 MiB/s", upload(10 * MIB, 10 * MIB), 5 * MIB],
  ["uploading 0 % of 366 KiB", upload(0, 366 * 1024), undefined],
  // A link that is stalled: nobody knows how long it will take.
  ["uploading 50 % of 10 MiB", upload(5 * MIB, 10 * MIB), 0],
  ["uploading 100 % of 0 B", upload(0, 0), undefined],
  [
    "downloading 50 % of 10 MiB",
    { step: "downloading", receivedBytes: 5 * MIB, totalBytes: 10 * MIB },
    undefined,
  ],
  ["downloading 5.0 MiB", { step: "downloading", receivedBytes: 5 * MIB, totalBytes: undefined }, undefined],
  ["creating SR", { step: "creating SR" }, undefined],
  ["waiting for VDI", { step: "waiting for VDI", attempt: 1 }, undefined],
  ["waiting for VDI (2nd try)", { step: "waiting for VDI", attempt: 2 }, undefined],
  ["waiting for VDI (3rd try)", { step: "waiting for VDI", attempt: 3 }, undefined],
  ["waiting for VDI (4th try)", { step: "waiting for VDI", attempt: 4 }, undefined],
  ["waiting for VDI (11th try)", { step: "waiting for VDI", attempt: 11 }, undefined],
  ["disc in use by web-1, ejecting", { step: "ejecting", holder: "web-1" }, undefined],
  ["disc in use by web [2J1 , ejecting", { step: "ejecting", holder: "web\u001b[2J1\n" }, undefined],
  [
    "waiting for another create of the same resource",
    { step: "waiting for another create of the same resource" },
    undefined,
  ],
])("%s", (text, progress, bytesPerSecond) => {
  expect(progressText(progress, bytesPerSecond)).toBe(text);
});

describe("the rate of an upload", () => {
  /** So many bytes at so many seconds. */
  function rateOf(...samples: [seconds: number, bytes: number][]): number | undefined {
    const meter = new RateMeter();
    for (const [seconds, bytes] of samples) meter.add(bytes, seconds * 1_000);
    return meter.bytesPerSecond;
  }

  test("is not known from the first moment", () => {
    expect(rateOf()).toBeUndefined();
    expect(rateOf([0, 0])).toBeUndefined();
    expect(rateOf([0, 0], [0.4, 4_000_000])).toBeUndefined();
    expect(rateOf([0, 0], [0.5, 500])).toBe(1_000);
  });

  test("is that of the last five seconds", () => {
    const fast = range(0, 10).map((second) => [second, second * 1_000] as [number, number]);
    const slow = range(11, 16).map((second) => [second, 10_000 + (second - 10) * 10] as [number, number]);
    expect(rateOf(...fast)).toBe(1_000);
    expect(rateOf(...fast, ...slow)).toBe(10);
  });

  test("begins anew with an upload that begins anew", () => {
    expect(rateOf([0, 0], [1, 1_000_000], [2, 500], [3, 600])).toBe(100);
  });

  test("needs no more memory for more reports", () => {
    const meter = new RateMeter();
    for (const index of range(0, 100_000)) meter.add(index * 10, index * 0.1);
    expect(meter.bytesPerSecond).toBeCloseTo(100_000, -3);
  });
});

function upload(sentBytes: number, totalBytes: number): Progress {
  return { step: "uploading", sentBytes, totalBytes };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
