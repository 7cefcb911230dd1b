import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseDocument } from "yaml";
import manifest from "../../package.json";
import { isAlive, type Page, readPages, repository } from "./pages";
import { errorsOf, programsOf } from "./programs";

let pages: readonly Page[];
const folder = mkdtempSync(join(tmpdir(), "xen-iso-pages-"));

beforeAll(async () => {
  pages = await readPages();
});
afterAll(() => rmSync(folder, { recursive: true }));

const blocksOf = (...languages: string[]) =>
  pages.flatMap(({ blocks }) => blocks.filter(({ language }) => languages.includes(language)));

test("every link leads to a file, and to a heading in it", () => {
  const dead = pages.flatMap((page) =>
    page.links
      .filter(({ target }) => !isAlive(page, target, pages))
      .map(({ place, target }) => `${place}: ${target}`),
  );
  expect(dead).toEqual([]);
  expect(pages.flatMap(({ links }) => links).length).toBeGreaterThan(50);
});

test("README is at most 150 lines", () => {
  expect(
    pages
      .find(({ path }) => path === "README.md")
      ?.text.trimEnd()
      .split("\n").length,
  ).toBeLessThanOrEqual(150);
});

test("README leads to every page", () => {
  const targets = pages.find(({ path }) => path === "README.md")?.links.map(({ target }) => target);
  const guides = pages.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
  expect(guides.filter((path) => !targets?.includes(path))).toEqual([]);
});

test("package.json names the repository, by which npm completes README's relative links and pictures", () => {
  const [, page = ""] =
    /^git\+(https:\/\/github\.com\/[\w-]+\/[\w-]+)\.git$/.exec(manifest.repository.url) ?? [];
  expect(manifest).toMatchObject({ homepage: `${page}#readme`, bugs: `${page}/issues` });
  expect(manifest.repository).toEqual({ type: "git", url: `git+${page}.git` });
});

describe("a link checker that can fail", () => {
  const page: Page = { path: "docs/a.md", text: "", blocks: [], links: [], anchors: new Set(["here"]) };
  test.each([
    ["#here", true],
    ["#there", false],
    ["a.md#here", false],
    ["../README.md", true],
    ["../README.md#no-such-heading", false],
    ["no-such-file.md", false],
    ["https://example.net/", true],
    ["http://example.net/", false],
    ["../../outside.md", false],
  ])("%s: %s", (target, expected) => {
    expect(isAlive(page, target, [page, ...pages])).toBe(expected);
  });
});

test("every block of code says its language, and one that is checked here", () => {
  const checked = ["ts", "sh", "python", "go", "yaml", "json", "text"];
  const others = pages.flatMap(({ blocks }) => blocks.filter(({ language }) => !checked.includes(language)));
  expect(others.map(({ place, language }) => `${place}: ${language}`)).toEqual([]);
});

test("every TypeScript block compiles", { timeout: 120_000 }, () => {
  const programs = pages.flatMap(programsOf);
  expect(programs.length).toBeGreaterThan(10);
  expect(errorsOf(programs, repository)).toEqual([]);
});

test("a compiler that can fail", { timeout: 120_000 }, () => {
  const code = `import { XenTempIso } from "pulumi-xen-iso";\nnew XenTempIso("x", { isoPaht: "x.iso" });\n`;
  expect(errorsOf([{ place: "here", section: "", code }], repository)).toEqual([
    expect.stringMatching(/^here \+2: error TS2561:.*isoPaht/),
  ]);
});

test("every shell block is a shell script", async () => {
  const blocks = blocksOf("sh");
  expect(blocks.length).toBeGreaterThan(5);
  for (const { place, code } of blocks) expect([place, await shellErrorsOf(code)]).toEqual([place, ""]);
});

test("a shell that can fail", async () => {
  expect(await shellErrorsOf("for host in a b; do\n")).toMatch(/syntax error/);
});

test("every YAML and JSON block can be parsed", () => {
  for (const { place, language, code } of blocksOf("yaml", "json")) {
    const errors = language === "json" ? (JSON.parse(code), []) : parseDocument(code).errors;
    expect([place, errors]).toEqual([place, []]);
  }
});

test("every Python block is a Python program", async () => {
  for (const { place, code } of blocksOf("python"))
    expect([place, await pythonErrorsOf(code)]).toEqual([place, ""]);
  expect(await pythonErrorsOf("import\n")).toMatch(/SyntaxError/);
});

test.each([
  ["python", "__main__.py"],
  ["go", "main.go"],
  ["yaml", "Pulumi.yaml"],
])("README shows a part of examples/%s, which is run", (language, file) => {
  const linesOf = (text: string) => text.split("\n").map((line) => line.trim());
  const example = linesOf(readFileSync(join(repository, "examples", language, file), "utf8")).join("\n");
  const shown = pages
    .find(({ path }) => path === "README.md")!
    .blocks.filter((block) => block.language === language);
  expect(shown).toHaveLength(1);
  for (const { code } of shown) expect(example).toContain(linesOf(code.trim()).join("\n"));
});

/** What Python says of a program that it does not run. */
function pythonErrorsOf(code: string): Promise<string> {
  const file = join(folder, "program.py");
  writeFileSync(file, code);
  const check = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
  return new Promise((resolve) => {
    execFile("python3", ["-c", check, file], (_error, _stdout, stderr) => resolve(stderr));
  });
}

/** What bash says of a script that it does not run. */
function shellErrorsOf(code: string): Promise<string> {
  const file = join(folder, "script.sh");
  writeFileSync(file, code);
  return new Promise((resolve) => {
    execFile("bash", ["-n", file], (_error, _stdout, stderr) => resolve(stderr));
  });
}
