import { closeSync, openSync } from "node:fs";

let answer: boolean | undefined;

/**
 * Whether somebody looks on. The engine does not tell; a process that has a terminal to open, and is no CI job, is
 * a fair sign.
 */
export function isTerminal(): boolean {
  return (answer ??= !process.env["CI"] && canOpen("/dev/tty"));
}

function canOpen(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch {
    return false;
  }
}
