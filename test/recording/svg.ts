import type { Asciicast } from "./asciicast";
import type { Frame, Run } from "./screen";

const FONT = { size: 13, width: 7.8, lineHeight: 18 } as const;
const PADDING = 16;
/** Blanks that no viewer takes for one. */
const NO_BREAK = "\u00a0";

/** How long the last frame stays before the first comes again. */
const END_SECONDS = 4;

/**
 * Renders frames as one SVG image that plays by itself, without script, so that it moves in a README. All frames
 * stand in a strip, which jumps by a frame's height.
 *
 * @param still the frame for viewers that do not move it, or are asked not to
 */
export function renderSvg(
  { columns, rows }: Pick<Asciicast, "columns" | "rows">,
  frames: readonly Frame[],
  { title, still }: { readonly title: string; readonly still: number },
): string {
  const height = rows * FONT.lineHeight;
  const size = { width: Math.ceil(columns * FONT.width + 2 * PADDING), height: height + 2 * PADDING };
  const lines = new LineStore();
  const strip = frames.flatMap(({ lines: runs }, index) =>
    runs.map((line, row) => lines.use(line, index * height + row * FONT.lineHeight)),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" role="img" aria-label="${escape(title)}">
<title>${escape(title)}</title>
<style>
text{font:${FONT.size}px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
#strip{transform:translateY(${-still * height}px)}
@media (prefers-reduced-motion:no-preference){#strip{animation:play ${secondsOf(frames)}s infinite step-end}}
@keyframes play{${keyframes(frames, height)}}
</style>
<defs>${lines.definitions()}</defs>
<rect width="${size.width}" height="${size.height}" rx="8" fill="#0d1117"/>
<svg x="${PADDING}" y="${PADDING}" width="${size.width - 2 * PADDING}" height="${height}">
<g id="strip" fill="#e6edf3">${strip.join("")}</g>
</svg>
</svg>
`;
}

/** Most lines stay from frame to frame: each is written once. */
class LineStore {
  readonly #ids = new Map<string, string>();

  use(runs: readonly Run[], y: number): string {
    if (runs.length === 0) return "";
    const text = runs.map(textOf).join("");
    const id = this.#ids.get(text) ?? `l${this.#ids.size}`;
    this.#ids.set(text, id);
    return `<use href="#${id}" y="${y}"/>`;
  }

  definitions(): string {
    return [...this.#ids].map(([text, id]) => `<g id="${id}">${text}</g>`).join("\n");
  }
}

/** Placed and stretched to its columns, whatever width the viewer's font has. */
function textOf({ column, columns, text, colour, isBold, isDim }: Run): string {
  const attributes = {
    x: round(column * FONT.width),
    y: FONT.size,
    textLength: round(columns * FONT.width),
    lengthAdjust: "spacingAndGlyphs",
    ...(colour && { fill: colour }),
    ...(isBold && { "font-weight": "bold" }),
    ...(isDim && { opacity: 0.6 }),
  };
  const written = Object.entries(attributes).map(([name, value]) => `${name}="${value}"`);
  return `<text ${written.join(" ")}>${escape(text).replaceAll(" ", NO_BREAK)}</text>`;
}

function keyframes(frames: readonly Frame[], height: number): string {
  const total = secondsOf(frames);
  const start = frames[0]?.atSeconds ?? 0;
  return frames
    .map(({ atSeconds }, index) => {
      const percent = round(((atSeconds - start) / total) * 100);
      return `${percent}%{transform:translateY(${-index * height}px)}`;
    })
    .join("");
}

function secondsOf(frames: readonly Frame[]): number {
  return round((frames.at(-1)?.atSeconds ?? 0) - (frames[0]?.atSeconds ?? 0) + END_SECONDS);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
