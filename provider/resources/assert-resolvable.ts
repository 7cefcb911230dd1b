import { createRequire } from "node:module";
import { join } from "node:path";
import { RunError } from "@pulumi/pulumi";

let isResolvable = false;

/**
 * Checks that Pulumi's provider process will find this package. That process searches from the folder of the
 * program, not from the library or bundle that holds this class.
 *
 * @param folder of the program
 * @throws RunError
 */
export function assertResolvable(folder: string): void {
  try {
    createRequire(join(folder, "index.js")).resolve("pulumi-xen-iso/provider");
  } catch {
    throw new RunError(
      `The folder of the program, ${folder}, does not resolve the package pulumi-xen-iso, so its provider cannot run. ` +
        "Name it in the program's own package.json (npm install pulumi-xen-iso), also if a library brings it; " +
        "install it beside a bundled program.",
    );
  }
}

/**
 * The same for the program that `pulumi` runs in this process, once. An inline program of the Automation API and a
 * test with mocks have another folder, or no provider process at all.
 */
export function assertProgramResolves(): void {
  if (isResolvable || !isRunByPulumi()) return;
  assertResolvable(process.cwd());
  isResolvable = true;
}

/** @see pulumi/pulumi: sdk/nodejs/cmd/run/index.ts, which the language host starts in the program's folder */
function isRunByPulumi(): boolean {
  return /[\\/]@pulumi[\\/]pulumi[\\/]cmd[\\/]run[\\/]/.test(process.argv[1] ?? "");
}
