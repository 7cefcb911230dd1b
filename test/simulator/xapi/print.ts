/** One line of a record: `name ( RO)` and its value. */
export type PrintedField = readonly [label: string, value: string];

/** What a command has to say, before `--minimal` decides how. */
export type Output =
  | { readonly table: readonly (readonly PrintedField[])[] }
  | { readonly list: readonly string[] }
  /** Printed at once, whatever `--minimal` says: `sr-create` does. */
  | { readonly text: string }
  | undefined;

/**
 * Standard output of `xe`.
 *
 * @see xapi-project/xen-api: ocaml/xapi-cli-server/cli_printer.ml
 */
export function printOutput(output: Output, { isMinimal }: { isMinimal: boolean }): string {
  return isMinimal ? printMinimal(output) : printLong(output);
}

function printLong(output: Output): string {
  if (output === undefined) return "";
  if ("text" in output) return `${output.text}\n`;
  if ("list" in output) return output.list.map((value) => `${value}\n`).join("");
  return output.table.map((record) => `${printRecord(record)}\n\n`).join("");
}

/** One line in any case: it is flushed at the end, empty where a command prints no list. */
function printMinimal(output: Output): string {
  if (output === undefined) return "\n";
  if ("text" in output) return `${output.text}\n\n`;
  const values = "list" in output ? output.list : firstValues(output.table);
  return `${values.map(escapeCommas).join(",")}\n`;
}

function firstValues(table: readonly (readonly PrintedField[])[]): string[] {
  return table.some((record) => record.length === 0) ? [] : table.map((record) => record[0]?.[1] ?? "");
}

/** Labels end in one column, four further right than the longest needs; the first begins at the margin. */
function printRecord(record: readonly PrintedField[]): string {
  const width = 4 + Math.max(0, ...record.map(([label]) => Buffer.byteLength(label)));
  return record
    .map(([label, value], index) => {
      const aligned = index === 0 ? label.padEnd(width) : label.padStart(width);
      return `${aligned}: ${value}\n`;
    })
    .join("");
}

function escapeCommas(value: string): string {
  return value.replace(/[\\,]/g, "\\$&");
}
