import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { markerOf } from "../remote/host";
import type { SimulatedHost } from "../simulator";

/** Puts a marker into a folder of the host; returns the path of the file on this machine. */
export function markFolder(
  host: SimulatedHost,
  folder: string,
  { owner, ...marker }: { owner: string } & Parameters<typeof markerOf>[1],
): string {
  const path = host.path(`${folder}/pending`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, markerOf(owner, marker));
  return path;
}
