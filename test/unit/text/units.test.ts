import { expect, test } from "vitest";
import { durationText, sizeText } from "../../../provider/text/units";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1.0 KiB"],
  [9.94 * MIB, "9.9 MiB"],
  [9.96 * MIB, "10 MiB"],
  [231.4 * MIB, "231 MiB"],
  [999.4 * MIB, "999 MiB"],
  [999.6 * MIB, "1.0 GiB"],
  [4.7 * GIB, "4.7 GiB"],
  [5_000 * 1024 ** 4, "5000 TiB"],
])("%d bytes are %s", (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

test.each([
  [0.2, "1 s"],
  [3, "3 s"],
  [99, "99 s"],
  [99.5, "2 min"],
  [700, "12 min"],
  [99 * 60, "99 min"],
  [100 * 60, "2 h"],
  [86_400 * 4, "4 d"],
  [-3, "0 s"],
])("%d seconds are %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});
