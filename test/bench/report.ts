import { type Count, isMet, isWithin, type Results, type Row } from "./result";

/** What a run found, for a terminal. */
export function printResults({ machine, rows, counts }: Results): string {
  return [
    table(["", "against", "measured", "target", ""], rows.map(cellsOf)),
    "",
    ...rows.flatMap(printDetails),
    "",
    table(["counted", "is", "at most", ""], counts.map(cellsOfCount)),
    "",
    ...machineLines(machine),
  ].join("\n");
}

/** The same for a page in Markdown, without what was counted. */
export function printMarkdown({ machine, rows }: Results): string {
  const lines = [["", "against", "measured", "target"], ...rows.map((row) => cellsOf(row).slice(0, 4))];
  const widths = widthsOf(lines);
  const rule = widths.map((width) => "-".repeat(width));
  const [header = [], ...body] = lines;
  return [
    ...[header, rule, ...body].map((cells) => `| ${padded(cells, widths).join(" | ")} |`),
    "",
    "![How many times as fast, with the targets](test/bench/results/bench.svg)",
    "",
    machineLines(machine).join(" "),
  ].join("\n");
}

/** How it was measured, in words. */
export function machineLines({
  processor,
  cores,
  memoryGib,
  system,
  files,
  versions,
}: Results["machine"]): string[] {
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${processor}, ${cores} cores, ${memoryGib} GiB of memory, ${system}.`,
    `${names.join(", ")}.`,
    `Local images and the host's files lie ${files}, for every contestant alike; sshd is real, the toolstack simulated.`,
  ];
}

/** `12.3 ×`, `0.9 × its time`, `80 MiB`, `3.1 ms` */
export function printValue({ value, unit }: Pick<Row, "value" | "unit">): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  const number = value.toFixed(digits);
  if (unit === "times as fast") return `${number} ×`;
  return unit === "times its time" ? `${number} × its time` : `${number} ${unit}`;
}

export function printTarget({ target, unit }: Pick<Row, "target" | "unit">): string {
  const [sign, value] = "atLeast" in target ? ["≥", target.atLeast] : ["≤", target.atMost];
  if (unit === "times as fast") return `${sign} ${value} ×`;
  return unit === "times its time" ? `${sign} ${value} × its time` : `${sign} ${value} ${unit}`;
}

function partsOf(row: Row) {
  return {
    what: row.what,
    against: row.against ?? "–",
    measured: printValue(row),
    target: printTarget(row),
    verdict: isMet(row) ? "met" : "NOT MET",
  };
}

function cellsOf(row: Row): string[] {
  return Object.values(partsOf(row));
}

function cellsOfCount(count: Count): string[] {
  return [count.what, String(count.value), String(count.atMost), isWithin(count) ? "ok" : "TOO MANY"];
}

function printDetails({ what, against, timings, note }: Row): string[] {
  const lines = Object.entries(timings).map(([name, { medianMs, samplesMs }]) => {
    const of = samplesMs.length > 1 ? `, median of ${samplesMs.length}` : "";
    return `    ${name}: ${medianMs.toFixed(medianMs < 100 ? 1 : 0)} ms${of}`;
  });
  if (lines.length === 0) return [];
  return [`${what}${against ? `, against ${against}` : ""}`, ...lines, ...(note ? [`    (${note})`] : [])];
}

function table(header: readonly string[], lines: readonly (readonly string[])[]): string {
  const all = [header, ...lines];
  const widths = widthsOf(all);
  return all.map((cells) => padded(cells, widths).join("  ").trimEnd()).join("\n");
}

function widthsOf(lines: readonly (readonly string[])[]): number[] {
  const [first = []] = lines;
  return first.map((_, column) => Math.max(3, ...lines.map((cells) => (cells[column] ?? "").length)));
}

function padded(cells: readonly string[], widths: readonly number[]): string[] {
  return cells.map((cell, column) => cell.padEnd(widths[column] ?? 0));
}
