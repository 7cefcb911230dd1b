import { machineLines, printTarget, printValue } from "./report";
import { isMet, type Results, type Row } from "./result";

const WIDTH = 900;
const TOP = 70;
const ROW_HEIGHT = 54;
const BAR_HEIGHT = 14;
const LEFT = 20;
const RIGHT = 150;

const INK = "#1f2328";
const FAINT = "#656d76";
const BAR = "#2f6fdb";
const MISSED = "#c0392b";

/** The rows that compare speeds as an SVG: a bar for each, on a logarithmic scale, with a mark where its target is. */
export function drawChart({ machine, rows }: Results): string {
  const speeds = rows.flatMap(speedOf);
  const scale = scaleFor(speeds.flatMap(({ factor, target }) => [factor, target]));
  const bottom = TOP + speeds.length * ROW_HEIGHT;
  const [measuredOn = ""] = machineLines(machine);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 46}" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>pulumi-xen-iso: how many times as fast</title>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    text(
      LEFT,
      28,
      "How many times as fast as the other way (logarithmic)",
      `font-size="16" font-weight="600" fill="${INK}"`,
    ),
    text(LEFT, 48, "A mark stands where the target is.", `fill="${FAINT}"`),
    ...scale.ticks.map((value) => tick(scale.at(value), value, bottom)),
    ...speeds.map((speed, index) => bar(speed, scale.at, TOP + index * ROW_HEIGHT)),
    text(LEFT, bottom + 36, measuredOn, `font-size="11" fill="${FAINT}"`),
    "</svg>",
    "",
  ].join("\n");
}

interface Speed {
  readonly row: Row;
  /** How many times as fast. */
  readonly factor: number;
  readonly target: number;
}

/** Of what takes so many times another's time, that other is so many times as fast. */
function speedOf(row: Row): Speed[] {
  const { value, unit, target } = row;
  const bound = "atLeast" in target ? target.atLeast : target.atMost;
  if (unit === "times as fast") return [{ row, factor: value, target: bound }];
  return unit === "times its time" ? [{ row, factor: 1 / value, target: 1 / bound }] : [];
}

function scaleFor(values: readonly number[]) {
  const lowest = Math.floor(Math.log10(Math.min(0.5, ...values)));
  const highest = Math.ceil(Math.log10(Math.max(10, ...values)));
  const at = (value: number) =>
    LEFT + ((Math.log10(value) - lowest) / (highest - lowest)) * (WIDTH - LEFT - RIGHT);
  const ticks = Array.from({ length: highest - lowest + 1 }, (_, index) => 10 ** (lowest + index));
  return { at, ticks };
}

function tick(x: number, value: number, bottom: number): string {
  return [
    `<line x1="${round(x)}" x2="${round(x)}" y1="${TOP - 8}" y2="${bottom}" stroke="${value === 1 ? FAINT : "#d8dee4"}"/>`,
    text(x, bottom + 16, `${value} ×`, `font-size="11" text-anchor="middle" fill="${FAINT}"`),
  ].join("\n");
}

/** From 1 × to the right for what is faster, to the left for what is slower. */
function bar({ row, factor, target }: Speed, at: (value: number) => number, top: number): string {
  const barTop = top + 20;
  const [from = 0, to = 0] = [at(1), at(factor)].sort((one, other) => one - other);
  const mark = round(at(target));
  const against = row.against ? `, against ${row.against}` : "";
  return [
    text(LEFT, top + 14, `${row.what}${against}`, `fill="${INK}"`),
    `<rect x="${round(from)}" y="${barTop}" width="${round(to - from)}" height="${BAR_HEIGHT}" fill="${isMet(row) ? BAR : MISSED}"/>`,
    `<line x1="${mark}" x2="${mark}" y1="${barTop - 3}" y2="${barTop + BAR_HEIGHT + 3}" stroke="${INK}" stroke-width="2"/>`,
    text(
      Math.max(to, mark) + 8,
      barTop + 12,
      `${printValue(row)} (target ${printTarget(row)})`,
      `fill="${INK}"`,
    ),
  ].join("\n");
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  // A white rim keeps it readable on the lines of the scale.
  return `<text x="${round(x)}" y="${round(y)}" paint-order="stroke" stroke="#ffffff" stroke-width="4" ${attributes}>${escaped}</text>`;
}

const round = (value: number) => Math.round(value * 10) / 10;
