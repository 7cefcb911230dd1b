import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPages, repository } from "../../docs/pages";

const sourceOf = (path: string) => readFileSync(join(repository, "provider", path), "utf8");

test("the diagram of a create has the stages and the undos of the code, in their order", async () => {
  const page = (await readPages()).find(({ path }) => path === "docs/how-it-works.md");
  const diagram = page?.blocks.find(({ section }) => section === "a-create-and-its-undo")?.code ?? "";

  const union = /^export type Stage = (.+);$/m.exec(sourceOf("host/folder.ts"))?.[1] ?? "";
  const stages = Array.from(union.matchAll(/"(\w+)"/g), ([, stage]) => stage);
  const drawn = Array.from(diagram.matchAll(/^ (\w+) {3,}\S/gm), ([, stage]) => stage);
  expect(drawn.slice(1)).toEqual([...stages, "done"]);

  // Registered first, undone last.
  const undos = Array.from(sourceOf("host/temp-iso.ts").matchAll(/undo\(`(the \w+)/g), ([, what]) => what);
  expect(undos.length).toBeGreaterThan(1);
  const byTurn = Array.from(diagram.matchAll(/(the \w+) is \w+ +\((\d)\)/g), ([, what, turn]) => ({
    what,
    turn,
  }));
  byTurn.sort((one, other) => Number(other.turn) - Number(one.turn));
  expect(byTurn.map(({ what }) => what)).toEqual(undos);
});
