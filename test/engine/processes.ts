import { readdir, readFile } from "node:fs/promises";
import type { Stack } from "./stack";

/** A process of this machine (Linux). */
export interface Process {
  readonly pid: number;
  /** Its arguments, joined by blanks. */
  readonly command: string;
}

/** All processes whose command line can be read. */
export async function listProcesses(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const processes = pids.map(async (pid) => {
    const command = await readFile(`/proc/${pid}/cmdline`, "latin1").catch(() => "");
    return { pid: Number(pid), command: command.replaceAll("\0", " ").trim() };
  });
  return (await Promise.all(processes)).filter(({ command }) => command !== "");
}

/** The processes that serve the providers of a stack's operation under way: dynamic ones and the plugin. */
export async function providersOf(stack: Stack): Promise<Process[]> {
  const candidates = (await listProcesses()).filter(({ command }) =>
    /node .*(dynamic-provider|plugin\/main\.js)/.test(command),
  );
  const isOfStack = await Promise.all(
    candidates.map(async ({ pid }) => {
      const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
      return environment.split("\0").includes(`HOME=${stack.home}`);
    }),
  );
  return candidates.filter((_, index) => isOfStack[index]);
}

/** The most memory that a process has had resident, in bytes; undefined once it is gone. */
export async function peakMemoryOf({ pid }: Process): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return kib === undefined ? undefined : Number(kib) * 1024;
}
