import { closeSync, openSync } from "node:fs";

let answer: boolean | undefined;

/**
 * Whether a person watches the output. The engine does not tell, so this checks for a terminal that can be opened,
 * outside a CI job.
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
