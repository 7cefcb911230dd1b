import { execFile } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, extname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readPages, repository } from "./pages";

const SITE = join(repository, "site");

/** Where it is installed; undefined where it is not. */
const browserPath = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "chromium"))
  .find(isExecutable);

test("npm run docs builds the website without a warning", async () => {
  const { stdout, stderr } = await promisify(execFile)("npm", ["run", "docs"], { cwd: repository });
  expect(stdout + stderr).not.toMatch(/warning/i);
  expect(statSync(join(SITE, "index.html")).size).toBeGreaterThan(1_000);
});

describe.skipIf(!browserPath)("in chromium (apt-get install -y chromium), the website", () => {
  let server: Server;
  let browser: Browser;
  let page: Page;
  let home: string;
  /** What the console of the browser says that is no plain information. */
  const complaints: string[] = [];

  beforeAll(async () => {
    server = await serve(SITE);
    home = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    // In a container, root has no sandbox. Nothing but the site is opened.
    browser = await chromium.launch({ executablePath: browserPath!, args: ["--no-sandbox"] });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.setDefaultTimeout(10_000);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.message}`));
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  /** A heading holds a link to itself beside its text. */
  const heading = (level: 1 | 2, text: string) => page.locator(`h${level}`, { hasText: text });

  test("renders README, its picture included", async () => {
    await page.goto(home);
    expect(await heading(1, "pulumi-xen-iso").last().isVisible()).toBe(true);
    expect(await heading(2, "From an empty folder to the first disc").isVisible()).toBe(true);
    const picture = page.locator("main img, .col-content img").first();
    expect(await picture.evaluate((image: { naturalWidth: number }) => image.naturalWidth)).toBeGreaterThan(
      100,
    );
    const screenshot = await page.screenshot({ path: join(SITE, "screenshot.png") });
    expect(screenshot.length).toBeGreaterThan(20_000);
  });

  test("leads to every guide by its navigation", async () => {
    const guides = (await readPages()).filter(({ path }) => path.startsWith("docs/"));
    expect(guides.length).toBeGreaterThan(10);
    for (const { text } of guides) {
      const title = /^# (.+)$/m.exec(text)?.[1] ?? "";
      await page.locator(".site-menu a", { hasText: title }).click();
      await page.waitForURL(/\/documents\//);
      expect(await heading(1, title).isVisible()).toBe(true);
    }
  });

  test("has the API reference of each class", async () => {
    for (const name of ["XenTempIso", "XenIsoAttachment", "XenIsoRelease"]) {
      await page.goto(new URL(`classes/API_reference.${name}.html`, home).href);
      expect(await page.locator("h1").textContent()).toContain(name);
    }
  });

  test("finds the guide to the connection by «host key»", async () => {
    await page.goto(home);
    await page.keyboard.press("Control+k");
    const search = page.getByRole("combobox");
    const first = page.getByRole("option").first();
    // The index is loaded when the search opens, and what is typed before that is not searched for.
    const type = async () => {
      await search.fill("");
      await search.pressSequentially("host key", { delay: 50 });
      return first.innerText();
    };
    await expect.poll(type, { timeout: 30_000, interval: 500 }).toContain("Connection and security");
    await first.click();
    await page.waitForURL(/Connection_and_security/);
  });

  test("has no dead link on any of its pages, to a heading neither", async () => {
    const idsOf = new Map<string, Set<string>>();
    const links = new Set<string>();
    const dead: string[] = [];
    const queue = [home];
    for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
      if (idsOf.has(url)) continue;
      const response = await page.request.get(url);
      const isText = /^(text|image\/svg)/.test(response.headers()["content-type"] ?? "");
      const text = isText ? await response.text() : "";
      if (!response.ok()) dead.push(url);
      idsOf.set(url, new Set(Array.from(text.matchAll(/ id="([^"]+)"/g), ([, id = ""]) => id)));
      for (const [, target = ""] of text.matchAll(/<a [^>]*href="([^"]+)"/g)) {
        const link = new URL(target, url);
        if (!link.href.startsWith(home)) continue;
        if (link.hash) links.add(link.href);
        link.hash = "";
        queue.push(link.href);
      }
    }
    const toNothing = [...links].filter((link) => {
      const [url = "", id = ""] = link.split("#");
      return !idsOf.get(url)?.has(decodeURIComponent(id));
    });
    expect([...dead, ...toNothing]).toEqual([]);
    expect(idsOf.size).toBeGreaterThan(30);
    expect(links.size).toBeGreaterThan(50);
  });

  test("made no console complain", () => {
    expect(complaints).toEqual([]);
  });
});

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".css": "text/css",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

/** The files of a folder by HTTP, on a free port of this machine. */
async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = join(folder, normalize(pathname === "/" ? "/index.html" : decodeURI(pathname)));
    readFile(path).then(
      (content) => {
        response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream").end(content);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
