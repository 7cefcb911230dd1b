import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { cacheFolder, recallImage, rememberImage } from "../../../provider/lifecycle/image-memory";

const plain = { sizeBytes: 4_096, sha256: "a".repeat(64) };
const archive = {
  ...plain,
  compression: "xz",
  checksums: {
    file: { algorithm: "sha512", hex: "b".repeat(128) },
    image: { algorithm: "sha512", hex: "c".repeat(128) },
  },
} as const;

/** As many are kept. */
const MOST_ENTRIES = 2_000;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "memory-"));
  vi.stubEnv("XDG_CACHE_HOME", home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

test.skipIf(process.platform !== "linux").each([
  ["an image", plain],
  ["an archive", archive],
])("recalls %s by its fingerprint, and nothing of another", async (_what, image) => {
  await rememberImage("/secret/path 1", image);
  expect(await recallImage("/secret/path 1")).toEqual(image);
  expect(await recallImage("/secret/path 2")).toBeUndefined();
});

test("keeps the path to itself, and the entry to its user", async () => {
  await rememberImage("/secret/path 1", plain);
  const folder = join(home, "pulumi-xen-iso", "images");
  const [name = "", ...more] = await readdir(folder);
  expect(more).toEqual([]);
  expect(name).toMatch(/^[0-9a-f]{64}$/);
  expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(folder, name), "utf8")).not.toContain("secret");
});

test.skipIf(process.platform !== "linux")("drops the entries that were used longest ago", async () => {
  await rememberImage("newest", plain);
  const folder = join(home, "pulumi-xen-iso", "images");
  const longAgo = Array.from({ length: MOST_ENTRIES }, (_, index) => join(folder, String(index)));
  await Promise.all(longAgo.map((file) => writeFile(file, "").then(() => utimes(file, 1, 1))));
  await rememberImage("another", plain);
  expect(await readdir(folder)).toHaveLength(MOST_ENTRIES * 0.9);
  expect(await recallImage("newest")).toEqual(plain);
  expect(await recallImage("another")).toEqual(plain);
});

test("does not believe an entry that is damaged", async () => {
  await rememberImage("x", plain);
  const folder = join(home, "pulumi-xen-iso", "images");
  const [name = ""] = await readdir(folder);
  await writeFile(join(folder, name), "4096 aaaa\n");
  expect(await recallImage("x")).toBeUndefined();
});

test.each([
  ["linux", { XDG_CACHE_HOME: "/c" }, "/c"],
  ["linux", { XDG_CACHE_HOME: "relative" }, "/home/u/.cache"],
  ["linux", {}, "/home/u/.cache"],
  ["darwin", {}, "/home/u/Library/Caches"],
  ["win32", { LOCALAPPDATA: "D:\\cache" }, "D:\\cache"],
  ["win32", {}, "/home/u/AppData/Local"],
] as const)("on %s with %j the cache is in %s", (platform, env, expected) => {
  expect(cacheFolder(platform, env, "/home/u")).toBe(expected);
});
