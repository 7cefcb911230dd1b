import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readPages, repository } from "../../docs/pages";

const sourceOf = (path: string) => readFileSync(join(repository, "provider", path), "utf8");

/** The diagram of a section. */
async function diagramOf(section: string): Promise<string> {
  const page = (await readPages()).find(({ path }) => path === "docs/how-it-works.md");
  return page?.blocks.find((block) => block.section === section)?.code ?? "";
}

/** The first column, without its head. */
const stepsIn = (diagram: string) =>
  Array.from(diagram.matchAll(/^ (\w+) {3,}\S/gm), ([, step = ""]) => step).filter(
    (step) => step !== "step" && step !== "stage",
  );

/** The strings of a union type. */
function valuesOf(path: string, type: string): string[] {
  const union = new RegExp(`^export type ${type} = (.+);$`, "m").exec(sourceOf(path))?.[1] ?? "";
  return Array.from(union.matchAll(/"([^"]+)"/g), ([, value = ""]) => value);
}

const stages = [...valuesOf("host/folder.ts", "Stage"), "done"];
const states = valuesOf("host/find-temp-isos.ts", "FoundState");

test("the diagram of a create has the stages and the undos of the code, in their order", async () => {
  const diagram = await diagramOf("a-create-and-its-undo");
  expect(stages.length).toBeGreaterThan(3);
  expect(stepsIn(diagram)).toEqual(stages);

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

test("the diagram of a delete has the steps of the code, in their order", async () => {
  const diagram = await diagramOf("a-delete");
  expect(stepsIn(diagram)).toEqual([...stepsOf("host/sr.ts", "forgetSr"), "remove"]);
  expect(stepsOf("host/temp-iso.ts", "deleteTempIso")).toEqual(["forget", "forget", "remove"]);
  expect(stepsOf("host/remote/sr.sh", "forget_unused_sr")).toEqual(["unplug", "forget"]);
  expect(stepsOf("host/remote/delete.sh", "delete_unused_disc")).toEqual(["forget", "remove"]);
  const drawn = Array.from(diagram.matchAll(/ {3,}(\S+(?: \S+)*)$/gm), ([, state]) => state).slice(1);
  expect(drawn.slice(1, -1).filter((state) => !states.includes(state ?? ""))).toEqual([]);
});

test("the diagram of a killed create has the stages of the code, and states that list shows", async () => {
  const diagram = await diagramOf("when-a-run-is-cut-off");
  expect(stepsIn(diagram)).toEqual(stages);
  expect(states.filter((state) => diagram.includes(`  ${state}  `))).toEqual(["live", "pending"]);
});

/** What a function of the code does to a disc, in order. */
function stepsOf(path: string, name: string): string[] {
  const body =
    new RegExp(`^(?:export async function )?${name}\\(\\)?[^]*?\\n\\}$`, "m").exec(sourceOf(path))?.[0] ?? "";
  const calls =
    /await (eject)Everywhere|pbd(Unplug)\(|sr(Forget)\(|await (forget)Sr(?:Of)?\(|await (remove)Folder\(|pbd-(unplug)|sr-(forget)|(forget)_unused_sr "|(remove)_folder/g;
  return Array.from(body.matchAll(calls), (match) => match.slice(1).find(Boolean)?.toLowerCase() ?? "");
}
