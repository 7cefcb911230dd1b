import { rm, stat, utimes, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

const beatMs = 1_000;
const deadAfterMs = 15_000;

/**
 * Does `work` while no other process that asks for the same lock file does its own.
 *
 * The holder touches the file every second. A file left alone for 15 s belongs to a process that was killed,
 * and is taken over: a process id would say nothing to a container that shares the folder.
 *
 * @param onWait called once if another process holds the lock
 */
export async function withLock<T>(file: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  await take(file, onWait);
  const beat = setInterval(() => {
    // The file is gone only if someone took this process for dead.
    utimes(file, new Date(), new Date()).catch(() => undefined);
  }, beatMs);
  try {
    return await work();
  } finally {
    clearInterval(beat);
    await rm(file, { force: true });
  }
}

async function take(file: string, onWait: () => void): Promise<void> {
  let told = false;
  while (!(await make(file))) {
    if (await isDead(file)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told) onWait();
    told = true;
    await sleep(250);
  }
}

async function make(file: string): Promise<boolean> {
  try {
    await writeFile(file, "", { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isDead(file: string): Promise<boolean> {
  const touched = await stat(file).catch(() => undefined);
  return touched !== undefined && Date.now() - touched.mtimeMs > deadAfterMs;
}
