import { readFile } from "node:fs/promises";

/** What a terminal got, and when. */
export interface Asciicast {
  readonly columns: number;
  readonly rows: number;
  readonly output: readonly { readonly atSeconds: number; readonly text: string }[];
}

interface Header {
  readonly width: number;
  readonly height: number;
  /** In seconds. */
  readonly idle_time_limit?: number;
}

/**
 * Reads a recording of asciinema's. Pauses are cut to the limit that it names.
 *
 * @see https://docs.asciinema.org/manual/asciicast/v2/
 */
export async function readAsciicast(path: string): Promise<Asciicast> {
  const [first = "", ...events] = (await readFile(path, "utf8")).trimEnd().split("\n");
  const { width, height, idle_time_limit: limit = Infinity } = JSON.parse(first) as Header;
  let before = 0;
  let atSeconds = 0;
  const output = events
    .map((event) => JSON.parse(event) as [at: number, code: string, text: string])
    .filter(([, code]) => code === "o")
    .map(([at, , text]) => {
      atSeconds += Math.min(at - before, limit);
      before = at;
      return { atSeconds, text };
    });
  return { columns: width, rows: height, output };
}
