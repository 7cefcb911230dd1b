import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { SimulatedHost } from "../simulator";

interface Marker {
  /** The text that names the owner: a URN, and what follows it. */
  readonly owner: string;
  readonly isoName: string;
  readonly sizeBytes: number;
  /** Whether its session lives: this process plays it. */
  readonly isLive: boolean;
}

/** Puts a marker into a folder of the host; returns the path of the file on this machine. */
export function markFolder(host: SimulatedHost, folder: string, marker: Marker): string {
  const path = host.path(`${folder}/pending`);
  mkdirSync(dirname(path), { recursive: true });
  const session = marker.isLive ? process.pid : 1;
  const started = marker.isLive ? startOfThisProcess() : 1;
  const lines = [`owner=${marker.owner}`, `iso=${marker.isoName}`, `size=${marker.sizeBytes}`];
  writeFileSync(path, `${lines.join("\n")}\nsession=${session}\nstarted=${started}\n`);
  return path;
}

const startOfThisProcess = () =>
  /^.*\) (?:\S+ ){19}(\d+)/s.exec(readFileSync("/proc/self/stat", "latin1"))?.[1] ?? "";
