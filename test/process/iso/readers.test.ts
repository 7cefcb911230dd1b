import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildIso, type BuildIsoOptions } from "../../../provider/iso/build";
import { checkIsoFiles, type IsoFiles } from "../../../provider/iso/check";
import {
  type Contents,
  listByIsoinfo,
  listByIsoInfo,
  needs,
  readByBsdtar,
  readByIsoinfo,
  readByXorriso,
  run,
  sha256,
} from "./readers";

const xorriso = needs("xorriso");
const isoinfo = needs("isoinfo");
const isovfy = needs("isovfy");
const bsdtar = needs("bsdtar");
const blkid = needs("blkid");
const isoInfo = needs("iso-info");

const LABEL = "A label, of 32 characters just..";

const folder = mkdtempSync(join(tmpdir(), "xen-iso-readers-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What every reader has to find in `files`. */
const hard = hardSet();
let image: string;

beforeAll(async () => {
  image = await imageOf(hard.files, { volumeLabel: LABEL });
});

describe("a hard set of files", () => {
  describe.skipIf(xorriso.isMissing)(xorriso.title, () => {
    test("finds the medium good", async () => {
      const { stderr, stdout } = await run("xorriso", "-indev", image, "-check_media", "--");
      expect(stdout.toString()).toMatch(/^Media region : +0 , +\d+ , \+ good$/m);
      expect(stderr).toContain(`Volume id    : '${LABEL}'`);
      expect(stderr).not.toMatch(/WARNING|SORRY|MISHAP|FAILURE|FATAL/);
    });

    test.each(["any", "norock"] as const)("extracts the same files (-read_fs %s)", async (view) => {
      expect(await readByXorriso(image, view)).toEqual(hard.contents);
    });

    test("extracts the same contents without extensions", async () => {
      expect(Object.values(await readByXorriso(image, "ecma119")).sort()).toEqual(
        Object.values(hard.contents).sort(),
      );
    });
  });

  describe.skipIf(bsdtar.isMissing)(bsdtar.title, () => {
    test.each(["rockridge", "!rockridge"] as const)("extracts the same files (%s)", async (options) => {
      expect(await readByBsdtar(image, options)).toEqual(hard.contents);
    });
  });

  describe.skipIf(isoinfo.isMissing)(isoinfo.title, () => {
    test("lists and extracts the same files by Rock Ridge", async () => {
      expect((await listByIsoinfo(image, "-R")).sort()).toEqual(nodesOf(hard.contents).sort());
      expect(await readByIsoinfo(image, "-R", Object.keys(hard.contents))).toEqual(hard.contents);
    });

    test("lists the same files by Joliet, and extracts those with ASCII names", async () => {
      expect((await listByIsoinfo(image, "-J")).sort()).toEqual(
        nodesOf(hard.contents)
          .map((path) => path.replace(/[^\0-\xff]/g, "_"))
          .sort(),
      );
      const ascii = Object.entries(hard.contents).filter(([path]) => /^[ -~]+$/.test(path));
      const paths = ascii.map(([path]) => path);
      expect(await readByIsoinfo(image, "-J", paths)).toEqual(Object.fromEntries(ascii));
    });

    test("lists names of level 2, each once, and extracts the same contents, plain", async () => {
      const nodes = await listByIsoinfo(image, "plain");
      expect(new Set(nodes).size).toBe(nodes.length);
      const files = nodes.filter((path) => path.endsWith(";1"));
      for (const path of nodes) {
        expect(path).toMatch(/^(?:[A-Z0-9_]{1,31}\/)*(?:[A-Z0-9_]{1,31}|[A-Z0-9_]{1,30}\.[A-Z0-9_]*;1)$/);
        expect(path.length).toBeLessThanOrEqual(255);
      }
      const contents = await readByIsoinfo(image, "plain", files);
      expect(Object.values(contents).sort()).toEqual(Object.values(hard.contents).sort());
    });
  });

  test.skipIf(isovfy.isMissing)(`${isovfy.title} has no complaint`, async () => {
    expect(await verdictOf(image)).toEqual(NO_COMPLAINT);
  });

  test.skipIf(blkid.isMissing)(`${blkid.title} tells type and label`, async () => {
    expect(await probe(image)).toMatchObject({ TYPE: "iso9660", LABEL, VERSION: "Joliet Extension" });
    expect(await probe(await imageOf({ "meta-data": "" }))).toMatchObject({ LABEL: "cidata" });
  });
});

test.skipIf(isoInfo.isMissing)(
  `${isoInfo.title} lists by Joliet all folders but those with a name beyond UCS-2, and all by Rock Ridge`,
  async () => {
    const files = { "meta-data": "", "Ä ö/漢字 1.txt": "1", "emoji/😀": "2", "emoji/other": "3" };
    const seen = nodesOf({ "meta-data": "", "Ä ö/漢字 1.txt": "", emoji: "" });
    const nodes = nodesOf(Object.fromEntries(Object.keys(files).map((path) => [path, ""])));
    const mixed = await imageOf(files);
    expect((await listByIsoInfo(mixed)).sort()).toEqual(seen.sort());
    expect((await listByIsoInfo(mixed, ["--no-joliet"])).sort()).toEqual(nodes.sort());
  },
);

describe.skipIf(xorriso.isMissing || bsdtar.isMissing || isovfy.isMissing)(
  `random sets of files: ${xorriso.title}, ${bsdtar.title}, ${isovfy.title}`,
  () => {
    test("are read as they were written", { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fileSets(), async (files) => {
          const contents = contentsOf(files);
          const random = await imageOf(files);
          const read = await Promise.all([
            readByXorriso(random, "any"),
            readByXorriso(random, "norock"),
            readByBsdtar(random, "rockridge"),
            readByBsdtar(random, "!rockridge"),
            verdictOf(random),
          ]);
          expect(read).toEqual([contents, contents, contents, contents, NO_COMPLAINT]);
        }),
        // A slow machine tries fewer.
        { numRuns: 20, interruptAfterTimeLimit: 10_000 },
      );
    });
  },
);

describe.skipIf(bsdtar.isMissing || isovfy.isMissing)(
  `a corrupted image: ${bsdtar.title}, ${isovfy.title}`,
  () => {
    test.each([
      ["a file's content", "marked content"],
      ["a file's Rock Ridge name", "marked name"],
    ])("%s is not read as it was written", async (_what, mark) => {
      const files = { "marked name": "marked content", other: "" };
      const bytes = await bytesOf(files);
      const offset = bytes.indexOf(mark);
      expect(offset).toBeGreaterThan(0);
      expect(await readByBsdtar(saved(bytes), "rockridge")).toEqual(contentsOf(files));
      bytes[offset] = 0x4d;
      expect(await readByBsdtar(saved(bytes), "rockridge")).not.toEqual(contentsOf(files));
    });

    test("a folder that says it lies elsewhere is a complaint", async () => {
      const bytes = await bytesOf({ "folder/file": "" });
      // In the root's record of the folder its sector stands 31 bytes before its name, in its own at 2.
      const sector = bytes.readUInt32LE(bytes.lastIndexOf("FOLDER") - 31);
      expect(await verdictOf(saved(bytes))).toEqual(NO_COMPLAINT);
      bytes.writeUInt32LE(sector + 1, sector * 2048 + 2);
      expect(await verdictOf(saved(bytes))).not.toEqual(NO_COMPLAINT);
    });
  },
);

async function bytesOf(files: IsoFiles, options?: BuildIsoOptions): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of buildIso(files, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const imageOf = async (files: IsoFiles, options?: BuildIsoOptions) => saved(await bytesOf(files, options));

function saved(bytes: Uint8Array): string {
  const path = join(folder, randomUUID());
  writeFileSync(path, bytes);
  return path;
}

/** Of files without local ones. */
function contentsOf(files: IsoFiles): Contents {
  return Object.fromEntries(
    Object.entries(files).map(([path, file]) => [
      path,
      sha256(
        typeof file === "string"
          ? Buffer.from(file)
          : Buffer.from("base64" in file ? file.base64 : "", "base64"),
      ),
    ]),
  );
}

/** The files and all folders above them. */
function nodesOf(contents: Contents): string[] {
  const nodes = Object.keys(contents).flatMap((path) =>
    path.split("/").map((_part, index, parts) => parts.slice(0, index + 1).join("/")),
  );
  return [...new Set(nodes)];
}

const NO_COMPLAINT = ["No errors found"];

/** What `isovfy` says beside where the root lies and how many folders it has gone through. */
async function verdictOf(path: string): Promise<string[]> {
  const { stdout, stderr } = await run("isovfy", path);
  const lines = `${stdout.toString()}\n${stderr}`.split("\n");
  return lines.filter((line) => line !== "" && !/^(Root at extent|\[\d+ \d+\]$)/.test(line));
}

async function probe(path: string): Promise<Record<string, string>> {
  const { stdout } = await run("blkid", "-p", "-o", "export", path);
  // What a shell would take otherwise is escaped there.
  const lines = stdout.toString().replaceAll("\\", "").trim().split("\n");
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/, 2) as [string, string]));
}

function hardSet(): { files: IsoFiles; contents: Contents } {
  const texts = Object.fromEntries([
    ...Array.from({ length: 200 }, (_, index) => [
      `many/file ${index} ${"long ".repeat(index % 10)}.txt`,
      `${index}`,
    ]),
    ...Array.from({ length: 30 }, (_, index) => [
      `continued 漢/${"漢".repeat(58)}${index}.txt`,
      `漢 ${index}`,
    ]),
    ...Array.from({ length: 30 }, (_, index) => [
      `collide/same beginning of a long name ${index}`,
      `c ${index}`,
    ]),
    ...Array.from({ length: 12 }, (_, index) => [
      `folders/${"x".repeat(30)}${index}/${index}/file`,
      `f ${index}`,
    ]),
    ...["a", "ä", "漢"].map((letter) => [letter.repeat(64), `64 ${letter}`]),
    ["😀".repeat(32), "32 pairs of surrogates"],
    [`${"漢".repeat(60)}.txt`, "long and with an extension"],
    ["1/2/3/4/5/6/7/deep", "at the deepest"],
    ["Ä/ö/ü ß.é", "umlauts"],
    ["漢字/文件", "CJK"],
    ["emoji 😀/😀.😀", "beyond UCS-2"],
    [" a space at both ends ", "spaces"],
    ["collide.a/b-c", "1"],
    ["collide_a/b+c", "2"],
    ["collide_a/b c", "3"],
    ["collide_a/b_c", "4"],
    ["collide_a/b_c_1", "5"],
    ["dots/.hidden", "."],
    ["dots/...", "three"],
    ["dots/at the end.", "."],
    ["dots/a.b.c", ".."],
    ["dots/a-b", "sorts before a.b in Joliet, after it plainly"],
    ["-dash", "-"],
    ["quote'\"$`%~#|<>&", "shell"],
    ["empty", ""],
    ["empty, with a long name of CJK/" + "漢".repeat(64), ""],
    ["a sector", "x".repeat(2048)],
    ["a sector and a byte", "x".repeat(2049)],
  ] as [string, string][]);
  const binary = Buffer.alloc(5 * 1024 * 1024 + 1);
  for (let offset = 0; offset < binary.length; offset++)
    binary[offset] = (offset * 31 + (offset >> 8)) & 0xff;
  const contents = { ...contentsOf(texts), "binary.bin": sha256(binary), "local.bin": sha256(binary) };
  const files = {
    ...texts,
    "binary.bin": { base64: binary.toString("base64") },
    "local.bin": { path: saved(binary) },
  };
  return { files, contents };
}

/** Of letters that are hard in some way, long and short, in folders; what is refused is left out. */
function fileSets(): fc.Arbitrary<IsoFiles> {
  const letters = fc.constantFrom(...Array.from("abyzABYZ019 _-+.,~#%äÖß漢字€😀"));
  const name = fc.oneof(
    { weight: 4, arbitrary: fc.string({ unit: letters, minLength: 1, maxLength: 12 }) },
    { weight: 1, arbitrary: fc.string({ unit: letters, minLength: 40, maxLength: 64 }) },
  );
  const path = fc.array(name, { minLength: 1, maxLength: 8, size: "small" }).map((names) => names.join("/"));
  const content = fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 5000, size: "max" }).map((bytes) => ({
      base64: Buffer.from(bytes).toString("base64"),
    })),
  );
  return fc.dictionary(path, content, { maxKeys: 30, size: "max", noNullPrototype: true }).map((files) => {
    const refused = new Set(checkIsoFiles(files).map((problem) => problem.path));
    return Object.fromEntries(Object.entries(files).filter(([key]) => !refused.has(key)));
  });
}
