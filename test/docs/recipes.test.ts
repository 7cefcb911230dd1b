import { execFile } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findEngine } from "../engine/engine";
import { configureHost } from "../engine/plugin";
import { makeProject } from "../engine/project";
import { Stack } from "../engine/stack";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { listByIsoinfo, needs, readByBsdtar, readByXorriso, run } from "../process/iso/readers";
import { type Page, readPages } from "./pages";
import { programsOf } from "./programs";

/** One row of the table in docs/recipes.md. */
interface Recipe {
  /** Anchor of its section. */
  readonly section: string;
  readonly label: string;
  readonly files: readonly string[];
}

const [xorriso, bsdtar, isoinfo, blkid, cloudInit] = [
  needs("xorriso"),
  needs("bsdtar"),
  needs("isoinfo"),
  needs("blkid"),
  needs("cloud-init"),
];

const folder = mkdtempSync(join(tmpdir(), "xen-iso-recipes-"));
afterAll(() => rmSync(folder, { recursive: true }));

let page: Page;
let recipes: readonly Recipe[];
/** The image of each section, as it was on the host. */
const images = new Map<string, string>();

beforeAll(async () => {
  page = (await readPages()).find(({ path }) => path === "docs/recipes.md")!;
  recipes = recipesOf(page.text);
  await makeAll();
});

const imageOf = ({ section }: Recipe) => images.get(section) ?? "";

test("each row of the table has a program that makes its disc, and nothing is left of it", () => {
  expect([...images.keys()].sort()).toEqual(recipes.map(({ section }) => section).sort());
});

test.skipIf(blkid.isMissing)(`${blkid.title} finds each disc by its label`, async () => {
  const found = await Promise.all(
    recipes.map(async (recipe) => {
      const { stdout } = await run("blkid", "-p", "-o", "export", imageOf(recipe));
      const text = stdout.toString();
      return [recipe.section, /^TYPE=(.*)$/m.exec(text)?.[1], /^LABEL=(.*)$/m.exec(text)?.[1]];
    }),
  );
  expect(found).toEqual(recipes.map(({ section, label }) => [section, "iso9660", label]));
});

describe.skipIf(xorriso.isMissing || bsdtar.isMissing || isoinfo.isMissing)(
  `${xorriso.title}, ${bsdtar.title}, ${isoinfo.title}`,
  () => {
    test("find the files of the table on each disc, all with the same content", async () => {
      for (const recipe of recipes) {
        const image = imageOf(recipe);
        const read = await Promise.all([
          readByXorriso(image, "any"),
          readByXorriso(image, "norock"),
          readByBsdtar(image, "rockridge"),
          readByBsdtar(image, "!rockridge"),
        ]);
        for (const contents of read) expect(contents).toEqual(read[0]);
        expect([recipe.section, Object.keys(read[0]).sort()]).toEqual([recipe.section, recipe.files]);
        for (const view of ["-R", "-J"] as const)
          expect(await listByIsoinfo(image, view)).toEqual(expect.arrayContaining([...recipe.files]));
      }
    });
  },
);

describe.skipIf(cloudInit.isMissing || bsdtar.isMissing)(cloudInit.title, () => {
  test.each(["cloud-images", "ubuntu-autoinstall"])("accepts the user-data of %s", async (section) => {
    const file = await extracted(section, "user-data");
    const { stdout } = await run("cloud-init", "schema", "--config-file", file);
    expect(stdout.toString()).toContain("Valid cloud-config");
  });

  test("parses the network-config of the cloud image", async () => {
    const file = await extracted("cloud-images", "network-config");
    const program =
      "import sys, yaml; from cloudinit.net.network_state import parse_net_config_data as parse; " +
      "print([name['name'] for name in parse(yaml.safe_load(open(sys.argv[1]))).iter_interfaces()])";
    const { stdout } = await promisify(execFile)("/usr/bin/python3", ["-c", program, file]);
    expect(stdout).toBe("['eth0']\n");
  });
});

test("debconf accepts the preseed file, and refuses one that is wrong", async () => {
  const check = (file: string) => promisify(execFile)("debconf-set-selections", ["--checkonly", file]);
  await check(await extracted("debian-preseed", "preseed.cfg"));
  const wrong = join(folder, "wrong.cfg");
  writeFileSync(wrong, "d-i\n");
  await expect(check(wrong)).rejects.toThrow(/parse error/);
});

test("the Ignition configuration is JSON of a version", async () => {
  const { stdout } = await run(
    "bsdtar",
    "-xOf",
    images.get("flatcar-and-fedora-coreos")!,
    "openstack/latest/user_data",
  );
  expect(JSON.parse(stdout.toString())).toMatchObject({
    ignition: { version: expect.stringMatching(/^3\./) },
  });
});

/** Runs the programs of the page as one, with the real engine and a simulated host, and keeps the images. */
async function makeAll(): Promise<void> {
  await using pool = await startPool({ transport: "embedded" });
  const programs = programsOf(page).map((program, index) => ({ ...program, file: `recipe-${index}.ts` }));
  await using project = await makeProject({
    "index.ts": programs.map(({ file }) => `import "./${basename(file, ".ts")}";\n`).join(""),
    ...Object.fromEntries(programs.map(({ file, code }) => [file, code])),
    ...Object.fromEntries(localFilesOf(page.text).map((path) => [path, `the content of ${path}\n`])),
  });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);

  await stack.up();
  const { resources = [] } = (await stack.export()).deployment;
  for (const { urn, outputs } of resources) {
    const program = programs.find(({ code }) => code.includes(`"${urn.split("::").at(-1)}"`));
    const { srPath, isoName } = (outputs ?? {}) as Partial<Record<string, string>>;
    if (srPath === undefined || isoName === undefined || !program) continue;
    const image = join(folder, `${program.section}.iso`);
    copyFileSync(pool.coordinator.path(join(srPath, isoName)), image);
    images.set(program.section, image);
  }
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
}

/** Rows whose first cell is a link to a section of the page. */
function recipesOf(text: string): Recipe[] {
  const rows = text.matchAll(/^\| \[[^\]]+\]\(#([\w-]+)\) +\| `([^`]+)` +\| (.+?) +\|$/gm);
  return Array.from(rows, ([, section = "", label = "", files = ""]) => ({
    section,
    label,
    files: Array.from(files.matchAll(/`([^`]+)`/g), ([, file = ""]) => file).sort(),
  }));
}

const localFilesOf = (text: string) =>
  Array.from(new Set(Array.from(text.matchAll(/\{ path: "([^"]+)" \}/g), ([, path = ""]) => path)));

async function extracted(section: string, path: string): Promise<string> {
  const { stdout } = await run("bsdtar", "-xOf", images.get(section)!, path);
  const file = join(folder, section, path);
  await promisify(execFile)("mkdir", ["-p", dirname(file)]);
  writeFileSync(file, stdout);
  return file;
}
