/** Prints a result; questions and failures go to standard error. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

const ANSI = { green: 32, yellow: 33, red: 31 } as const;

/** Colours a text if the terminal shows colours; `NO_COLOR` turns them off. */
export function colour(name: keyof typeof ANSI, text: string): string {
  const isColourful = process.stdout.isTTY && process.stdout.hasColors();
  return isColourful ? `\u001b[${ANSI[name]}m${text}\u001b[39m` : text;
}

/** Rows with aligned columns. */
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

/** `1 disc`, `2 discs`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
