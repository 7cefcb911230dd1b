import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import type { SimulatedHost } from "../simulator";

/** How little a file system holds: `tmpfs` counts its own root among the inodes. */
export interface Limits {
  readonly size: string;
  readonly inodes: number;
}

/** Puts a real file system in the place of a host's folder, so that it is the kernel that refuses what is too much. */
export function mountSmallDisc(host: SimulatedHost, folder: string, limits: Limits): void {
  mkdirSync(host.path(folder), { recursive: true });
  inNamespaceOf(host, ["mount", "-t", "tmpfs", "-o", optionsOf(limits), "tmpfs", folder]);
}

/** Somebody frees some space. */
export function enlargeDisc(host: SimulatedHost, folder: string, limits: Limits): void {
  inNamespaceOf(host, ["mount", "-o", `remount,${optionsOf(limits)}`, folder]);
}

const optionsOf = ({ size, inodes }: Limits) => `size=${size},nr_inodes=${inodes}`;

/** Runs a program among the processes and mounts of a host. @returns what it prints */
export function inNamespaceOf(host: SimulatedHost, command: readonly string[]): string {
  const [, pid] = /^\/proc\/(\d+)\/root/.exec(host.path("/")) ?? [];
  if (!pid) throw new TypeError("Only a host with a real sshd has a namespace.");
  const asUser = process.geteuid?.() === 0 ? [] : ["--user", "--preserve-credentials"];
  return execFileSync("nsenter", ["--target", pid, "--mount", "--pid", "--root", ...asUser, ...command], {
    stdio: "pipe",
    encoding: "utf8",
  });
}
