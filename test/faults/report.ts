import { type Cell, FAULTS, type FaultName, nameOf, whyNot } from "./cells";
import type { CellResult } from "./run-cell";
import { type Step, STEPS } from "./steps";

const COLUMNS = Object.keys(FAULTS) as FaultName[];

/** Whether a promise was kept and nothing was left at the end. */
export const isKept = ({ promised, problems, leftovers }: CellResult) =>
  promised !== undefined && problems.length === 0 && leftovers.length === 0;

/** The matrix as a table with its legend, without the rows of which no cell was run. */
export function printMatrix(results: readonly CellResult[]): string {
  const byName = new Map(results.map((result) => [result.cell.name, result]));
  const steps = STEPS.filter((step) => results.some(({ cell }) => cell.step === step));
  const rows = steps.map((step) => {
    const cells = COLUMNS.map((fault) => letterOf(step, fault, byName).padEnd(8));
    return `${step.operation.padEnd(11)} ${step.name.padEnd(34)} ${cells.join("")}`.trimEnd();
  });
  const header = `${" ".repeat(47)}${COLUMNS.map((fault) => fault.padEnd(8)).join("")}`.trimEnd();
  return [header, ...rows, "", ...legend()].join("\n");
}

/** `cells: N, kept: N, leftovers: N` */
export function printCounts(results: readonly CellResult[]): string {
  const kept = results.filter(isKept).length;
  const leftovers = results.flatMap((result) => result.leftovers).length;
  return `cells: ${results.length}, kept: ${kept}, leftovers: ${leftovers}`;
}

/** What went wrong in a broken cell. */
export function printBroken({ cell, problems, leftovers, message, durationMs }: CellResult): string {
  const lines = [
    `! ${cell.name} (${Math.round(durationMs / 1_000)} s)`,
    ...(message ? [`the operation said: ${message}`] : []),
    ...problems,
    ...leftovers.map((left) => `left at the end: ${left}`),
  ];
  return lines.join("\n    ");
}

/** Why cells are missing from the matrix. */
export function printSkipped(): string {
  const reasons = new Map<string, number>();
  for (const step of STEPS)
    for (const fault of COLUMNS) {
      const reason = whyNot(step, fault);
      if (reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    }
  const lines = [...reasons].map(([reason, count]) => `  · ${String(count).padStart(3)}  ${reason}`);
  return ["Not tried:", ...lines].join("\n");
}

function letterOf(step: Step, fault: FaultName, results: ReadonlyMap<Cell["name"], CellResult>): string {
  if (whyNot(step, fault) !== undefined) return "·";
  const result = results.get(nameOf(step, fault));
  if (!result) return "";
  return isKept(result) ? (result.promised ?? "!") : "!";
}

function legend(): string[] {
  return [
    "a  nothing on the host, nothing in the state",
    "b  the state names what is there; the next up or destroy puts it right",
    "c  nobody could say; the next up clears what was left",
    "s  nobody could say: a complete disc that no state names, found and swept away",
    "!  broken    ·  makes no sense",
    "",
    ...COLUMNS.map((fault) => `${fault.padEnd(8)} ${FAULTS[fault]}`),
  ];
}
