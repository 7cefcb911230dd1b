import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readAsciicast } from "../../recording/asciicast";
import { framesOf } from "../../recording/screen";
import { renderSvg } from "../../recording/svg";

/** A terminal of 20 × 3 that got these texts at these seconds. */
async function castOf(header: object, ...events: [atSeconds: number, text: string][]) {
  const lines = [
    JSON.stringify({ version: 2, width: 20, height: 3, ...header }),
    ...events.map(([atSeconds, text]) => JSON.stringify([atSeconds, "o", text])),
  ];
  const path = join(await mkdtemp(join(tmpdir(), "cast-")), "test.cast");
  await writeFile(path, `${lines.join("\n")}\n`);
  return readAsciicast(path);
}

test("a line that is written over is a frame of its own, with the last text alone", async () => {
  const frames = await framesOf(
    await castOf({}, [0, "$ up\r\n"], [1, "uploading 1 %"], [2, "\r\u001b[Kdone"]),
  );
  expect(frames.map(({ atSeconds }) => atSeconds)).toEqual([0, 1, 2]);
  expect(frames.map(({ lines }) => lines[1]?.map(({ text }) => text))).toEqual([
    [],
    ["uploading 1 %"],
    ["done"],
  ]);
});

test("writes that follow at once are one frame, and the last of all is one", async () => {
  const frames = await framesOf(await castOf({}, [0, "a"], [0.001, "b"], [1, "c"], [1.05, "d"]));
  expect(frames.map(({ lines }) => lines[0]?.[0]?.text)).toEqual(["ab", "abc", "abcd"]);
});

test("colours, bold and the place of each piece are those of the terminal", async () => {
  const text = "\u001b[1m\u001b[38;5;2m+\u001b[0m  x \u001b[38;5;196mred\u001b[0m\u001b[38;2;1;2;3mrgb";
  const [frame] = await framesOf(await castOf({}, [0, text]));
  expect(frame?.lines[0]).toEqual([
    { column: 0, columns: 1, text: "+", colour: "#3fb950", isBold: true, isDim: false },
    { column: 3, columns: 1, text: "x", colour: undefined, isBold: false, isDim: false },
    { column: 5, columns: 3, text: "red", colour: "#ff0000", isBold: false, isDim: false },
    { column: 8, columns: 3, text: "rgb", colour: "#010203", isBold: false, isDim: false },
  ]);
});

test("pauses are cut to the limit that the recording names", async () => {
  const { output } = await castOf({ idle_time_limit: 1 }, [0.5, "a"], [60, "b"], [60.5, "c"]);
  expect(output.map(({ atSeconds }) => atSeconds)).toEqual([0.5, 1.5, 2]);
});

describe("the image", () => {
  const size = { columns: 20, rows: 3 };

  test("shows each frame from its moment on, and the last a while longer", async () => {
    const frames = await framesOf(await castOf({}, [0, "one"], [2, "\rtwo"], [4, "\rthree"]));
    const svg = renderSvg(size, frames, { title: "up", still: 1 });
    expect(svg).toContain("play 8s infinite step-end");
    expect(svg).toContain(
      "0%{transform:translateY(0px)}25%{transform:translateY(-54px)}50%{transform:translateY(-108px)}",
    );
    expect(svg).toContain("#strip{transform:translateY(-54px)}");
  });

  test("holds each line once, with what means something to XML escaped", async () => {
    const frames = await framesOf(await castOf({}, [0, 'a <b> & "c"'], [1, "\r\nd"]));
    const svg = renderSvg(size, frames, { title: "<up>", still: 0 });
    expect(svg.match(/a\u00a0&lt;b>\u00a0&amp;\u00a0&quot;c&quot;/g)).toHaveLength(1);
    expect(svg.match(/<use href="#l0"/g)).toHaveLength(2);
    expect(svg).toContain("<title>&lt;up></title>");
  });
});
