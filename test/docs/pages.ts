/** The Markdown of this repository, as its tests see it: code blocks, links, and the anchors that links can name. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import MarkdownIt, { type Token } from "markdown-it";

export const repository = resolve(__dirname, "../..");

/** A fenced block of code. */
export interface Block {
  /** `README.md:12`, for messages. */
  readonly place: string;
  /** The first word behind the fence: `ts`, `sh`; empty for none. */
  readonly language: string;
  /** Whether it belongs to the block of its language above: the second word is `continued`. */
  readonly isContinued: boolean;
  readonly code: string;
  /** Anchor of the heading above it. */
  readonly section: string;
}

export interface Link {
  readonly place: string;
  readonly target: string;
}

export interface Page {
  /** Relative to the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly links: readonly Link[];
  /** Of its headings, as GitHub makes them. */
  readonly anchors: ReadonlySet<string>;
}

/** README and its like, `docs/`, and the README of each example. */
export async function readPages(): Promise<Page[]> {
  const examples = readdirSync(join(repository, "examples")).map((name) => join("examples", name));
  const files = [".", "docs", ...examples].flatMap((folder) =>
    readdirSync(join(repository, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(repository, folder, name)),
  );
  return Promise.all(files.map(readPage));
}

async function readPage(file: string): Promise<Page> {
  // An ES module, which a CommonJS one has no other way to import.
  const { default: GithubSlugger } = await import("github-slugger");
  const slugger = new GithubSlugger();
  const path = relative(repository, file);
  const text = readFileSync(file, "utf8");
  const anchors = new Set<string>();
  const blocks: Block[] = [];
  const links: Link[] = [];
  let section = "";
  let line = 0;
  for (const token of flat(new MarkdownIt({ html: true }).parse(text, {}))) {
    line = token.map?.[0] ?? line;
    const place = `${path}:${line + 1}`;
    if (token.type === "fence") {
      const [language = "", second] = token.info.split(" ");
      blocks.push({ place, language, isContinued: second === "continued", code: token.content, section });
    }
    if (token.meta === HEADING) {
      section = slugger.slug(textOf(token));
      anchors.add(section);
    }
    const target = token.attrGet("href") ?? token.attrGet("src");
    if (target !== null) links.push({ place, target });
  }
  return { path, text, blocks, links, anchors };
}

const HEADING = "heading";

/** In the order of the page, those of a line behind it; the line of a heading is marked. */
function flat(tokens: readonly Token[]): Token[] {
  return tokens.flatMap((token, index) => {
    if (tokens[index - 1]?.type === "heading_open") token.meta = HEADING;
    return [token, ...(token.children ?? [])];
  });
}

function textOf({ children }: Token): string {
  return (children ?? []).map(({ type, content }) => (type === "html_inline" ? "" : content)).join("");
}

/** Whether a link of a page leads somewhere: to a file of this repository and, if it names one, a heading in it. */
export function isAlive(page: Page, target: string, pages: readonly Page[]): boolean {
  if (/^(https|mailto):/.test(target)) return URL.canParse(target);
  const [path = "", anchor] = decodeURI(target).split("#");
  if (path === "") return page.anchors.has(anchor ?? "");
  const file = relative(repository, resolve(repository, page.path, "..", path));
  if (file.startsWith("..") || !existsSync(join(repository, file))) return false;
  if (anchor === undefined) return true;
  return pages.find((other) => other.path === file)?.anchors.has(anchor) ?? false;
}
