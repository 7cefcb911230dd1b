/** Prints a result; questions and failures go to standard error. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Rows with their columns under each other. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `1.2 GiB`; what is not known is a dash. */
export function bytes(count: number | undefined): string {
  if (count === undefined) return "-";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const exponent = Math.min(Math.floor(Math.log2(Math.max(count, 1)) / 10), units.length - 1);
  const value = count / 1024 ** exponent;
  return `${exponent === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[exponent] ?? ""}`;
}

/** `3 d`; what is not known is a dash. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined) return "-";
  const units = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
  ] as const;
  const [unit, name] = units.find(([size]) => seconds >= size) ?? [1, "s"];
  return `${Math.floor(Math.max(seconds, 0) / unit)} ${name}`;
}

/** `1 disc`, `2 discs`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
