import { Terminal, type IBufferCell } from "@xterm/headless";
import type { Asciicast } from "./asciicast";

/** A piece of a line in one style. */
export interface Run {
  /** Where it begins, and how many it takes: a wide character takes two. */
  readonly column: number;
  readonly columns: number;
  readonly text: string;
  /** `#rrggbb`; undefined for the terminal's own. */
  readonly colour: string | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** What the screen shows from a moment on: its lines from top to bottom. */
export interface Frame {
  readonly atSeconds: number;
  readonly lines: readonly (readonly Run[])[];
}

/** Plays a recording on a terminal; a frame for each change, a tenth of a second apart at least. */
export async function framesOf({ columns, rows, output }: Asciicast): Promise<Frame[]> {
  const terminal = new Terminal({ cols: columns, rows, scrollback: 0, allowProposedApi: true });
  const frames: Frame[] = [];
  for (const [index, { atSeconds, text }] of output.entries()) {
    await new Promise<void>((resolve) => {
      terminal.write(text, resolve);
    });
    const next = output[index + 1]?.atSeconds ?? Infinity;
    const last = frames.at(-1)?.atSeconds ?? -Infinity;
    // A screen is drawn in many writes: one that is followed at once shows a half of it.
    if (next - atSeconds < 0.02 || (next !== Infinity && atSeconds - last < 0.1)) continue;
    frames.push({ atSeconds, lines: linesOf(terminal) });
  }
  terminal.dispose();
  return frames;
}

function linesOf(terminal: Terminal): Run[][] {
  const { active } = terminal.buffer;
  return Array.from({ length: terminal.rows }, (_, row) => {
    const line = active.getLine(active.baseY + row);
    const cells = Array.from({ length: terminal.cols }, (_cell, column) => line?.getCell(column));
    return runsOf(cells);
  });
}

function runsOf(cells: readonly (IBufferCell | undefined)[]): Run[] {
  const runs: Run[] = [];
  for (const [column, cell] of cells.entries()) {
    // The second half of a wide character has none of its own.
    if (!cell || cell.getWidth() === 0) continue;
    const text = cell.getChars() || " ";
    const style = { colour: colourOf(cell), isBold: cell.isBold() !== 0, isDim: cell.isDim() !== 0 };
    const last = runs.at(-1);
    if (last && isSameStyle(last, style)) {
      const columns = last.columns + cell.getWidth();
      runs[runs.length - 1] = { ...last, text: last.text + text, columns };
    } else runs.push({ column, columns: cell.getWidth(), text, ...style });
  }
  return runs.map(trimmed).filter(({ text }) => text !== "");
}

function isSameStyle(one: Run, other: Pick<Run, "colour" | "isBold" | "isDim">): boolean {
  return one.colour === other.colour && one.isBold === other.isBold && one.isDim === other.isDim;
}

/** Without the blanks around it, which not every viewer of an SVG image keeps. */
function trimmed(run: Run): Run {
  const text = run.text.trim();
  const blanksBefore = run.text.length - run.text.trimStart().length;
  const columns = run.columns - (run.text.length - text.length);
  return { ...run, column: run.column + blanksBefore, columns, text };
}

/** The sixteen of the palette, as they look on a dark ground. */
const PALETTE = [
  ...["#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4"],
  ...["#6e7681", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"],
] as const;

function colourOf(cell: IBufferCell): string | undefined {
  const colour = cell.getFgColor();
  if (cell.isFgRGB()) return hex(colour >> 16, (colour >> 8) & 255, colour & 255);
  if (!cell.isFgPalette()) return undefined;
  return PALETTE[colour] ?? colourOf256(colour);
}

/** Behind the palette a cube of 6 × 6 × 6 colours, then 24 greys. */
function colourOf256(index: number): string {
  if (index >= 232) return hex(...([0, 0, 0].map(() => 8 + (index - 232) * 10) as [number, number, number]));
  const level = (place: number) => [0, 95, 135, 175, 215, 255][Math.floor((index - 16) / place) % 6] ?? 0;
  return hex(level(36), level(6), level(1));
}

function hex(...channels: [number, number, number]): string {
  return `#${channels.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}
