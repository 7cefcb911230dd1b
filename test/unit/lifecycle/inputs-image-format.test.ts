import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { buildIso, type BuildIsoOptions } from "../../../provider/iso/build";
import type { IsoFiles } from "../../../provider/iso/check";
import { configure } from "../../../provider/lifecycle/connection";
import { imageOf } from "../../../provider/lifecycle/image-source";
import { checkTempIso, type TempIsoInputs } from "../../../provider/lifecycle/inputs";
import { diff, type TempIsoState } from "../../../provider/lifecycle/temp-iso";
import { UNKNOWN } from "../../../provider/lifecycle/unknown";
import { writeTemporary } from "../image";

interface StoredResource {
  readonly type: string;
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
}

const { deployment } = JSON.parse(
  readFileSync(join(__dirname, "../../states/recorded/0.1.0/files-attachment-release/state.json"), "utf8"),
) as { deployment: { resources: StoredResource[] } };
const stored = deployment.resources.find(({ type }) => type.endsWith(":TempIso"))!;

/** As the program of that state gives them. */
const files = {
  "user-data": "#cloud-config\n",
  "meta-data": "instance-id: a\n",
  "bin/x": { base64: "AAEC" },
  "big.txt": { path: writeTemporary(Buffer.from("big\n"), "big.txt") },
};
const olds: Record<string, unknown> = { ...stored.inputs, files };
const state = { ...stored.outputs, files } as unknown as TempIsoState;
const news = { files, volumeLabel: "cidata", once: true, owner: stored.inputs["owner"] };

beforeEach(() => {
  const configuration = { "xen:host": "127.0.0.1", "xen:password": "x", "xen:port": "40821" };
  const get = (name: string) => (configuration as Record<string, string>)[name] as string;
  configure({ get, require: get });
});

async function checked(args: Record<string, unknown>, previous: Record<string, unknown> = {}) {
  const { inputs, failures } = await checkTempIso(previous, args);
  expect(failures).toEqual([]);
  return inputs as unknown as TempIsoInputs;
}

async function sha256Of(content: IsoFiles, options: BuildIsoOptions): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of buildIso(content, options)) hash.update(chunk);
  return hash.digest("hex");
}

test("a disc that 0.1.0 built is not replaced by this release", async () => {
  const inputs = await checked(news, olds);
  expect(inputs).toEqual({ ...news, srMountPath: "/var/opt/xen-iso", isoSha256: olds["isoSha256"] });
  expect(diff(state, inputs)).toEqual({ changes: false, replaces: [] });
});

test("it gets the newest format with its next change of content", async () => {
  const changed = { ...files, "user-data": "#cloud-config\n{}\n" };
  const inputs = await checked({ ...news, files: changed }, olds);
  expect(inputs).toMatchObject({ imageFormat: 2, isoSha256: await sha256Of(changed, { imageFormat: 2 }) });
  expect(diff(state, inputs).replaces).toEqual(["isoSha256"]);
});

test("the same content in an ISO file is not another disc, nor the way back", async () => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of buildIso(files, { imageFormat: 1 })) chunks.push(chunk);
  const isoPath = writeTemporary(Buffer.concat(chunks));
  const byPath = await checked({ isoPath, owner: news.owner }, olds);
  expect(byPath).not.toHaveProperty("imageFormat");
  const back = await checked(news, byPath as never);
  expect([byPath.isoSha256, back.isoSha256]).toEqual([olds["isoSha256"], olds["isoSha256"]]);
});

test("a new disc, and a replacement, is built in the newest format", async () => {
  expect(await checked(news)).toMatchObject({
    imageFormat: 2,
    isoSha256: await sha256Of(files, { imageFormat: 2 }),
  });
});

test("a disc in the newest format stays in it", async () => {
  const inputs = await checked(news);
  expect(await checked(news, inputs as never)).toEqual(inputs);
});

test("ignoreChanges keeps the format with the content", async () => {
  const changed = { ...news, files: { a: "" } };
  const { isoSha256 } = stored.inputs;
  expect(await checked({ ...changed, isoSha256 }, olds)).not.toHaveProperty("imageFormat");
  const newer = { ...olds, imageFormat: 2 };
  expect(await checked({ ...changed, isoSha256, imageFormat: 2 }, newer)).toMatchObject({
    imageFormat: 2,
    isoSha256,
  });
});

test("content that is not known yet has no sha256 in either format", async () => {
  expect(await checked({ ...news, files: { a: UNKNOWN } }, olds)).toMatchObject({ isoSha256: UNKNOWN });
});

test.each([[undefined], [1], [2]] as const)(
  "a create builds format %s as its inputs say",
  async (imageFormat) => {
    const isoSha256 = await sha256Of(files, { imageFormat: imageFormat ?? 1 });
    const inputs = { ...state, isoSha256, ...(imageFormat && { imageFormat }) };
    const image = await imageOf(inputs);
    expect("source" in image && (await image.source.sha256())).toBe(isoSha256);
  },
);
