import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { withoutAssets } from "../../../provider/lifecycle/assets";
import { configure } from "../../../provider/lifecycle/connection";
import { checkTempIso } from "../../../provider/lifecycle/inputs";
import { Problems } from "../../../provider/lifecycle/problems";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const asset = (fields: object) => ({
  [SIGNATURE]: "c44067f5952c0a294b673a41bacd8c17",
  hash: "aa",
  ...fields,
});
const archive = (fields: object) => ({ [SIGNATURE]: "0def7320c3a5731c473e5ecbe6d01bc7", ...fields });

const folder = mkdtempSync(join(tmpdir(), "xen-iso-assets-"));
mkdirSync(join(folder, "bin/empty"), { recursive: true });
writeFileSync(join(folder, "user-data"), "#cloud-config\n");
writeFileSync(join(folder, "meta-data"), "");
writeFileSync(join(folder, "bin/.hidden"), "x");

const inFolder = {
  "user-data": { path: join(folder, "user-data") },
  "meta-data": { path: join(folder, "meta-data") },
  "bin/.hidden": { path: join(folder, "bin/.hidden") },
};

beforeEach(() => {
  const get = () => undefined as unknown as string;
  configure({ get, require: get });
});

function converted(files: unknown): { files: unknown; reasons: string[] } {
  const problems = new Problems();
  return { files: withoutAssets(files, problems), reasons: problems.failures.map(({ reason }) => reason) };
}

test.each<[string, unknown, unknown]>([
  ["a FileArchive of a folder", archive({ path: folder }), inFolder],
  [
    "assets as files",
    {
      a: asset({ path: "a.txt" }),
      b: asset({ text: "b" }),
      c: asset({}),
      d: "d",
      e: { base64: "" },
      f: UNKNOWN,
      g: asset({ uri: "https://example.net/g" }),
      h: asset({ uri: "https://example.net/h", hash: "b".repeat(64) }),
      i: asset({ uri: "file:///srv/a%20b" }),
    },
    {
      a: { path: "a.txt" },
      b: "b",
      c: "",
      d: "d",
      e: { base64: "" },
      f: UNKNOWN,
      g: { url: "https://example.net/g" },
      h: { url: "https://example.net/h", checksum: `sha256:${"b".repeat(64)}` },
      i: { path: "/srv/a b" },
    },
  ],
  [
    "an AssetArchive, with archives in it",
    archive({
      assets: {
        "meta-data": asset({ text: "" }),
        seed: archive({ path: folder }),
        more: archive({ assets: { "x/y": asset({ path: "y" }) } }),
      },
    }),
    {
      "meta-data": "",
      ...Object.fromEntries(Object.entries(inFolder).map(([path, file]) => [`seed/${path}`, file])),
      "more/x/y": { path: "y" },
    },
  ],
  ["anything else", "user-data", "user-data"],
  ["what is not known yet", UNKNOWN, UNKNOWN],
  ["what is not given", undefined, undefined],
])("turns %s into plain values", (_title, files, expected) => {
  expect(converted(files)).toEqual({ files: expected, reasons: [] });
});

test.each<[string, unknown, RegExp]>([
  [
    "a RemoteArchive",
    archive({ uri: "https://example.net/a.zip" }),
    /^files: is a RemoteArchive, which is not/,
  ],
  [
    "a RemoteArchive in an archive",
    archive({ assets: { a: archive({ uri: "https://example.net/a.zip" }) } }),
    /^files\["a"\]: is a RemoteArchive/,
  ],
  [
    "a FileArchive of a file",
    archive({ path: join(folder, "user-data") }),
    /^files: .* is a file; a FileArchive must/,
  ],
  [
    "a folder that is missing",
    archive({ path: "no/such" }),
    /^files: the folder \/.*no\/such cannot be read \(ENOENT\)/,
  ],
  [
    "an archive as one file",
    { a: archive({ path: folder }) },
    /^files\["a"\]: is a Pulumi archive; give the archive as/,
  ],
])("refuses %s", (_title, files, reason) => {
  const { reasons } = converted(files);
  expect(reasons).toEqual([expect.stringMatching(reason)]);
});

test("a folder's files are on the disc, and its problems are reported once", async () => {
  const args = { owner: "urn:pulumi:s::p::t::n", connection: { host: "xen1.example.net", password: "p" } };
  const { inputs, failures } = await checkTempIso({}, { ...args, files: archive({ path: folder }) });
  expect(failures).toEqual([]);
  expect(inputs).toMatchObject({ files: inFolder, isoSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });

  const missing = await checkTempIso({}, { ...args, files: archive({ path: "no/such" }) });
  expect(missing.failures).toHaveLength(1);
});

test("what is neither a file nor a folder is refused, and a named pipe is not opened", async () => {
  const withPipe = mkdtempSync(join(tmpdir(), "xen-iso-pipe-"));
  execFileSync("/usr/bin/mkfifo", [join(withPipe, "pipe")]);
  const { failures } = await checkTempIso(
    {},
    { owner: "", files: archive({ path: withPipe }), connection: {} },
  );
  expect(failures.map(({ reason }) => reason)).toContainEqual(
    expect.stringMatching(/^files\["pipe"\]: .* is not a regular file/),
  );
});
