import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { type BuildIsoOptions, buildIso } from "../../../provider/iso/build";
import type { IsoFiles } from "../../../provider/iso/check";
import { configure } from "../../../provider/lifecycle/connection";
import { warningsOf } from "../../../provider/lifecycle/image-files";
import { imageOf } from "../../../provider/lifecycle/image-source";
import { checkTempIso, type TempIsoInputs } from "../../../provider/lifecycle/inputs";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { writeTemporary } from "../image";

const good = {
  owner: "urn:pulumi:dev::shop::pulumi-nodejs:dynamic/xen:TempIso::web-1",
  connection: { host: "xen1.example.net", password: "p" },
};
const local = writeTemporary(Buffer.from("version: 2\n"), "net.yaml");
const files: IsoFiles = {
  "user-data": "#cloud-config\n",
  "meta-data": { base64: Buffer.from("instance-id: web-1\n").toString("base64") },
  "network-config": { path: local },
};
const MIB = 1024 ** 2;

beforeEach(() => {
  const get = () => undefined as unknown as string;
  configure({ get, require: get });
});

const check = (news: Record<string, unknown>, olds: Record<string, unknown> = {}) =>
  checkTempIso(olds, { ...good, ...news });

async function reasons(news: Record<string, unknown>): Promise<string[]> {
  const { failures } = await check(news);
  expect(failures.every(({ property }) => property === "")).toBe(true);
  return failures.map(({ reason }) => reason);
}

async function sha256Of(news: Record<string, unknown>): Promise<unknown> {
  const { inputs, failures } = await check(news);
  expect(failures).toEqual([]);
  return inputs.isoSha256;
}

async function builtSha256(content: IsoFiles, options?: BuildIsoOptions): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of buildIso(content, options)) hash.update(chunk);
  return hash.digest("hex");
}

test("files are completed with the sha256 of their image, which is what a create sends", async () => {
  const { inputs, failures } = await check({ files });
  expect(failures).toEqual([]);
  expect(inputs).toEqual({
    ...good,
    files,
    srMountPath: "/var/opt/xen-iso",
    isoSha256: await builtSha256(files),
    imageFormat: 2,
    nonce: expect.any(String),
  });

  const image = await imageOf(inputs as unknown as TempIsoInputs);
  if (!("source" in image)) throw new Error("It is a stream.");
  const { source } = image;
  const hash = createHash("sha256");
  for (const range of [
    { start: 0, end: 50_000 },
    { start: 50_000, end: source.sizeBytes },
  ])
    for await (const chunk of source.read(range)) hash.update(chunk);
  expect(hash.digest("hex")).toBe(inputs.isoSha256);
});

test("the label is part of the image, and cidata when none is given", async () => {
  expect(await sha256Of({ files, volumeLabel: "config-2" })).toBe(
    await builtSha256(files, { volumeLabel: "config-2" }),
  );
  expect(await sha256Of({ files, volumeLabel: "cidata" })).toBe(await sha256Of({ files }));
  expect(await sha256Of({ files, volumeLabel: "config-2" })).not.toBe(await sha256Of({ files }));
});

test("a local file's path is relative to the program's folder", async () => {
  const path = relative(process.cwd(), local);
  expect(await sha256Of({ files: { ...files, "network-config": { path } } })).toBe(await sha256Of({ files }));
});

test("a changed local file changes the image", async () => {
  const path = writeTemporary(Buffer.from("one"));
  const before = await sha256Of({ files: { file: { path } } });
  writeFileSync(path, "two");
  expect(await sha256Of({ files: { file: { path } } })).not.toBe(before);
});

test.each<[string, Record<string, unknown>, RegExp[]]>([
  ["neither source", {}, [/^isoPath: is missing; .* or files /]],
  ["both sources", { isoPath: "a.iso", files }, [/^files: cannot be given together with isoPath/]],
  [
    "both sources, not known yet",
    { isoPath: UNKNOWN, files: UNKNOWN },
    [/^files: cannot be given together with isoPath/],
  ],
  ["a label of a local image", { isoPath: UNKNOWN, volumeLabel: "x" }, [/^volumeLabel: labels an image/]],
  ["a bad label", { files, volumeLabel: "a/b" }, [/^volumeLabel: the volume's label has a character/]],
  [
    "a label that is no text",
    { files, volumeLabel: 7 },
    [/^volumeLabel: the volume's label must be a non-empty string/],
  ],
  ["a text as files", { files: "user-data" }, [/^files: must be a folder as a FileArchive, or an object/]],
  ["a list as files", { files: ["user-data"] }, [/^files: must be a folder as a FileArchive, or an object/]],
  [
    "bad paths, all at once",
    { files: { "a\nb": "", "C:": "", x: "", X: "", "1/2/3/4/5/6/7/8/9": "" } },
    [
      /^files\["1\/2\/3\/4\/5\/6\/7\/8\/9"\]: is 9 levels deep/,
      /^files\["C:"\]: has one of/,
      /^files\["a\\nb"\]: has a control character/,
      /^files\["x"\]: differs only in case from "X"/,
    ],
  ],
  ["an unknown content", { files: { a: { text: "" } } }, [/^files\["a"\]: must be text, /]],
  ["no files", { files: {} }, [/^files: hold nothing; .* not in a Map$/]],
  ["bad base64", { files: { a: { base64: "hunter2" } } }, [/^files\["a"\]: is not valid base64/]],
  [
    "local files that are missing, all at once",
    { files: { a: { path: "no/such" }, b: "", c: { path: "/no/such" } } },
    [
      /^files\["a"\]: cannot be made: the local file \/.*\/no\/such cannot be read: .*ENOENT/,
      /^files\["c"\]: cannot be made: the local file \/no\/such cannot be read/,
    ],
  ],
  [
    "too much inline content",
    { files: { a: "x".repeat(9 * MIB), b: { base64: "AAAA".repeat(2 * MIB) } } },
    [/^files: hold 17\.0 MiB of text and base64; the limit is 16 MiB, .* give large ones as \{ path \}/],
  ],
  [
    "what is known, beside what is not known yet",
    { files: { "a:": UNKNOWN, b: { base64: UNKNOWN }, "c:": "" } },
    [/^files\["a:"\]/, /^files\["c:"\]/],
  ],
])("refuses %s", async (_title, news, expected) => {
  const found = await reasons(news);
  expect(found).toHaveLength(expected.length);
  for (const [index, reason] of expected.entries()) expect(found[index]).toMatch(reason);
  expect(found.join()).not.toContain("hunter2");
});

test("16 MiB of inline content is taken", async () => {
  await expect(reasons({ files: { a: "x".repeat(16 * MIB) } })).resolves.toEqual([]);
});

test.each<[string, Record<string, unknown>]>([
  ["all files", { files: UNKNOWN }],
  ["one file", { files: { a: "known", b: UNKNOWN } }],
  ["one file's bytes", { files: { a: "known", b: { base64: UNKNOWN } } }],
  ["one file's path", { files: { a: { path: "/no/such" }, b: { path: UNKNOWN } } }],
  ["the label", { files, volumeLabel: UNKNOWN }],
])("%s not known yet: nor is the sha256", async (_title, news) => {
  expect(await sha256Of(news)).toBe(UNKNOWN);
});

test.each([
  ["#cloud-config\n"],
  ["  \n#Cloud-Config\n"],
  ["#!/bin/sh\n"],
  ["#include\nhttps://example.net/seed\n"],
  ["#include-once\n"],
  ["#cloud-boothook\n"],
  ["#cloud-config-archive\n"],
  ["#part-handler\n"],
  ["## template: jinja\n#cloud-config\n"],
  ["Content-Type: multipart/mixed\nMIME-Version: 1.0\n"],
  [""],
  [UNKNOWN],
])("no warning: user-data %j", async (text) => {
  expect(await instructionWarnings(text)).toEqual([]);
});

const instructionWarnings = (file: unknown) =>
  warningsOf({ "user-data": file, "vendor-data": file, "other-data": file, "meta-data": "" }, undefined);

test.each([["hostname: web-1\n"], ["# cloud-config\n"], ["\ufeff#cloud-config\n"], ["cloud-config"]])(
  "a warning: user-data %j, as text, base64 and local file",
  async (text) => {
    const ignored = /: begins with none of #cloud-config, #!, .*; cloud-init would ignore it\.$/;
    for (const file of [
      text,
      { base64: Buffer.from(text).toString("base64") },
      { path: writeTemporary(Buffer.from(text)) },
    ]) {
      const warnings = await instructionWarnings(file);
      expect(warnings).toEqual([expect.stringMatching(ignored), expect.stringMatching(ignored)]);
      expect(warnings[0]).toMatch(/^files\["user-data"\]/);
    }
  },
);

test("no warning: user-data that is compressed, or in a file that cannot be read", async () => {
  const pipe = join(mkdtempSync(join(tmpdir(), "xen-iso-pipe-")), "pipe");
  execFileSync("/usr/bin/mkfifo", [pipe]);
  for (const file of [{ base64: "H4sIAAAA" }, { path: "/no/such" }, { path: pipe }, { base64: UNKNOWN }])
    expect(await instructionWarnings(file)).toEqual([]);
});

test("a warning: inline content from 1 MiB on", async () => {
  const half = "x".repeat(MIB / 2);
  expect(await warningsOf({ a: half, b: { base64: half } }, undefined)).toEqual([
    expect.stringMatching(/^files: hold 1\.0 MiB/),
  ]);
  const smaller = { a: half, b: { base64: half.slice(1) }, c: { path: "/large" } };
  expect(await warningsOf(smaller, undefined)).toEqual([]);
});

test.each<[string, string[], string | undefined, RegExp[]]>([
  [
    "user-data without meta-data",
    ["user-data"],
    undefined,
    [/^files: meta-data is missing; cloud-init ignores/],
  ],
  ["meta-data without user-data", ["meta-data"], "cidata", [/^files: user-data is missing/]],
  ["neither, with another file of cloud-init's", ["network-config"], "CIDATA", [/user-data/, /meta-data/]],
  ["both", ["user-data", "meta-data"], undefined, []],
  ["another label", ["user-data"], "config-2", []],
  ["nothing of cloud-init's", ["neon-init.sh"], undefined, []],
])("a seed for cloud-init: %s", async (_title, paths, label, expected) => {
  const warnings = await warningsOf(Object.fromEntries(paths.map((path) => [path, ""])), label);
  expect(warnings).toEqual(expected.map((reason) => expect.stringMatching(reason) as string));
});

test("a warning: a label that Joliet cuts, and a name that libcdio does not list", async () => {
  expect(await warningsOf({ a: "" }, "x".repeat(17))).toEqual([
    `volumeLabel: Joliet, which Windows reads, has room for "${"x".repeat(16)}" only.`,
  ]);
  expect(await warningsOf({ a: "" }, "x".repeat(16))).toEqual([]);
  expect(await warningsOf({ "a/😀": "", 漢: "" }, undefined)).toEqual([
    'files["a/😀"]: has a character beyond U+FFFF; some readers do not list its folder.',
  ]);
});

test("null, which a secret that is undefined comes as, is as if it were not given", async () => {
  const nulls = { isoPath: null, volumeLabel: null, srName: null };
  const connection = { ...good.connection, hostKey: null, proxy: null };
  const { inputs, failures } = await check({ ...nulls, connection, files: { ...files, "none.txt": null } });
  expect(failures).toEqual([]);
  expect(inputs).toEqual({ ...(await check({ files })).inputs, nonce: expect.any(String) });
  expect(Object.keys(inputs)).toEqual(Object.keys((await check({ files })).inputs));
});

test("content that ignoreChanges keeps is kept, and no local file is opened", async () => {
  const path = writeTemporary(Buffer.from("content"));
  rmSync(path);
  const { inputs, failures } = await check(
    { files: { file: { path } }, isoSha256: "old" },
    { isoSha256: "old" },
  );
  expect(failures).toEqual([]);
  expect(inputs.isoSha256).toBe("old");
});
