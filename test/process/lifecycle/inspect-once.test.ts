import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { cacheFolder } from "../../../provider/lifecycle/image-memory";
import type * as Module from "../../../provider/lifecycle/inspect-once";
import { imageBytes, writeTemporary } from "../../unit/image";

const SETTLED_MS = 2_100;
const FORGED = "f".repeat(64);

/** An image of its own, and what is true of it. */
function image(content: string) {
  const bytes = imageBytes(content);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path: writeTemporary(bytes), bytes, truth: { sizeBytes: bytes.length, sha256 } };
}

// Made once, so that one pause makes all of them old enough to be remembered.
const settled = image("settled");
const changing = image("before");
const noImage = writeTemporary(Buffer.alloc(100_000, "text"));
const many = Array.from({ length: 8 }, (_, number) => image(`process ${number}`));
beforeAll(() => sleep(SETTLED_MS));

let home: string;
const memory = () => join(cacheFolder(process.platform, process.env, home), "pulumi-xen-iso", "images");
const entries = () => readdirSync(memory()).map((name) => join(memory(), name));

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "xen-iso-home-"));
  vi.stubEnv("HOME", home);
  vi.stubEnv("XDG_CACHE_HOME", join(home, "cache"));
  vi.stubEnv("LOCALAPPDATA", join(home, "cache"));
});

afterEach(() => vi.unstubAllEnvs());

/** `inspectOnce` of a process that has read nothing yet. */
async function freshProcess() {
  vi.resetModules();
  return (await vi.importActual<typeof Module>("../../../provider/lifecycle/inspect-once")).inspectOnce;
}

/** Makes the memory say something else of every image, by which an answer from there is known. */
function forge(text = `40960 ${FORGED}\n`): void {
  for (const entry of entries()) writeFileSync(entry, text);
}

test("a later process takes from memory what an earlier one has read", async () => {
  const { path, truth } = settled;
  expect(await (await freshProcess())(path)).toEqual(truth);
  expect(await (await freshProcess())(path)).toEqual(truth);
  forge();
  expect(await (await freshProcess())(path)).toEqual({ ...truth, sha256: FORGED });
});

test("the same process reads a file once, whatever becomes of the memory", async () => {
  const { path, truth } = settled;
  const inspectOnce = await freshProcess();
  const first = await inspectOnce(path);
  forge();
  expect(first).toEqual(truth);
  expect(await inspectOnce(path)).toBe(first);
});

test("checks at the same time share one reading", async () => {
  const { path, truth } = image("shared");
  const inspectOnce = await freshProcess();
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => inspectOnce(path)));
  expect(first).toEqual(truth);
  for (const other of others) expect(other).toBe(first);
});

test("a file that was changed a moment ago is not remembered, by nobody", async () => {
  const { path, truth } = image("young");
  const inspectOnce = await freshProcess();
  const first = await inspectOnce(path);
  expect(first).toEqual(truth);
  expect(existsSync(memory())).toBe(false);
  const again = await inspectOnce(path);
  expect(again).toEqual(truth);
  expect(again).not.toBe(first);
});

test("a change is seen though size and modification time are as before", async () => {
  const { path, truth } = changing;
  const inspectOnce = await freshProcess();
  await inspectOnce(path);
  const { atime, mtime } = statSync(path);
  const changed = imageBytes("after!");
  writeFileSync(path, changed);
  utimesSync(path, atime, mtime);
  await sleep(SETTLED_MS);
  const sha256 = createHash("sha256").update(changed).digest("hex");
  expect(await inspectOnce(path)).toEqual({ ...truth, sha256 });
  expect(await (await freshProcess())(path)).toEqual({ ...truth, sha256 });
});

test("what is no image is refused each time, and a missing file is the file system's error", async () => {
  const inspectOnce = await freshProcess();
  await expect(inspectOnce(noImage)).rejects.toThrow("neither an ISO 9660 nor a UDF");
  await expect(inspectOnce(noImage)).rejects.toThrow("neither an ISO 9660 nor a UDF");
  expect(existsSync(memory())).toBe(false);
  await expect(inspectOnce("/no/such.iso")).rejects.toMatchObject({ code: "ENOENT" });
});

test.each(["", "40960", `40960 ${FORGED.slice(1)}\n`, `{"sha256":"${FORGED}"}`, "\0".repeat(70)])(
  "a broken entry is ignored and written anew: %j",
  async (text) => {
    const { path, truth } = settled;
    await (
      await freshProcess()
    )(path);
    forge(text);
    expect(await (await freshProcess())(path)).toEqual(truth);
    expect(entries().map((entry) => readFileSync(entry, "utf8"))).toEqual([
      `${truth.sizeBytes} ${truth.sha256}\n`,
    ]);
  },
);

test("a cache folder that cannot be made breaks nothing", async () => {
  const { path, truth } = settled;
  writeFileSync(join(home, "cache"), "a file in its place");
  writeFileSync(join(home, "Library"), "a file in its place");
  expect(await (await freshProcess())(path)).toEqual(truth);
});

test.skipIf(process.platform === "win32")("only the user can read the memory", async () => {
  const { path } = settled;
  await (
    await freshProcess()
  )(path);
  expect(statSync(memory()).mode & 0o777).toBe(0o700);
  expect(entries().map((entry) => statSync(entry).mode & 0o777)).toEqual([0o600]);
});

test("the memory is bounded: what was asked for longest ago is dropped", async () => {
  const { path } = settled;
  mkdirSync(memory(), { recursive: true });
  for (let number = 0; number < 2_000; number++) {
    const entry = join(memory(), `old-${number}`);
    writeFileSync(entry, "");
    utimesSync(entry, number, number);
  }
  await (
    await freshProcess()
  )(path);
  const names = readdirSync(memory());
  expect(names).toHaveLength(1_800);
  expect(names).toContain("old-1999");
  expect(names).not.toContain("old-200");
  expect(names.filter((name) => !name.startsWith("old-"))).toHaveLength(1);
});

test("many processes at once find the truth and lose no entry of each other's", async () => {
  const source = JSON.stringify(resolve(__dirname, "../../../provider/lifecycle/inspect-once.ts"));
  const paths = JSON.stringify(many.map(({ path }) => path));
  const program = `
    const { inspectOnce } = require(${source});
    Promise.all(${paths}.map((path) => inspectOnce(path))).then((found) => console.log(JSON.stringify(found)));
  `;
  const node = ["--import", "tsx", "--input-type=commonjs", "--eval", program];
  const runs = await Promise.all(
    [1, 2, 3, 4].map(() => promisify(execFile)(process.execPath, node, { env: process.env })),
  );
  for (const { stdout } of runs) expect(JSON.parse(stdout)).toEqual(many.map(({ truth }) => truth));
  expect(entries()).toHaveLength(many.length);
});

describe("the user's cache folder", () => {
  test.each<[NodeJS.Platform, Record<string, string>, string]>([
    ["linux", {}, "/home/me/.cache"],
    ["linux", { XDG_CACHE_HOME: "/var/cache/me" }, "/var/cache/me"],
    ["linux", { XDG_CACHE_HOME: "relative" }, "/home/me/.cache"],
    ["darwin", { XDG_CACHE_HOME: "/var/cache/me" }, "/home/me/Library/Caches"],
    ["win32", { LOCALAPPDATA: "D:\\Local" }, "D:\\Local"],
    ["win32", {}, "/home/me/AppData/Local"],
  ])("%s %j", (platform, env, folder) => {
    expect(cacheFolder(platform, env, "/home/me").replaceAll("\\", "/")).toBe(folder.replaceAll("\\", "/"));
  });
});
