import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PREFIX = "xen-iso-test-";

/**
 * Gives a run one folder for all that its tests put aside, and removes it behind them, whatever has failed. Each of
 * the projects calls it; the first one makes the folder.
 */
export default function setup(): (() => void) | undefined {
  if (tmpdir().includes(PREFIX)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  process.env["TMPDIR"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
