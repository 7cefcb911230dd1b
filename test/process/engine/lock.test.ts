import { existsSync } from "node:fs";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { withLock } from "../../engine/lock";

let folder: string;
let lock: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
  lock = join(folder, "lock");
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

it("lets one at a time do its work, and tells the others once that they wait", async () => {
  let inside = 0;
  const onWait = vi.fn();
  const work = async (): Promise<void> => {
    expect(++inside).toBe(1);
    await sleep(600);
    inside--;
  };
  await Promise.all([withLock(lock, onWait, work), withLock(lock, onWait, work)]);
  expect(onWait).toHaveBeenCalledOnce();
  expect(existsSync(lock)).toBe(false);
});

it("is released when the work fails", async () => {
  await expect(withLock(lock, vi.fn(), () => Promise.reject(new Error("no Go")))).rejects.toThrow("no Go");
  expect(await withLock(lock, vi.fn(), () => Promise.resolve("done"))).toBe("done");
});

it("is taken from a holder that was killed", async () => {
  await writeFile(lock, "");
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  const onWait = vi.fn();
  expect(await withLock(lock, onWait, () => Promise.resolve("done"))).toBe("done");
  expect(onWait).not.toHaveBeenCalled();
});
