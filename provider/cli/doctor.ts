import type { SharedConnection } from "../ssh/shared-connection";
import { inFlags } from "./connection-options";
import { type Check, diagnose } from "./diagnosis";
import { EXIT, type ExitStatus } from "./exit";
import { readHostFacts } from "./host-facts";
import { print, table } from "./print";

/** What `doctor` is asked for. */
export interface DoctorOptions {
  readonly srMountPaths: readonly string[];
  readonly isJson: boolean;
}

/** Prints what it looked at: `failed` when one check failed, `found` when one is a warning. */
export async function doctor(
  host: SharedConnection,
  { srMountPaths, isJson }: DoctorOptions,
): Promise<ExitStatus> {
  const checks = await readHostFacts(host, srMountPaths).then(diagnose, (error: unknown) => [
    unreachable(error),
  ]);
  print(isJson ? JSON.stringify({ host: host.address, checks }, null, 2) : toText(checks));
  if (checks.some(({ status }) => status === "failed")) return EXIT.failed;
  return checks.some(({ status }) => status === "warning") ? EXIT.found : EXIT.done;
}

/** Lines of status, name and detail, with the advice below. */
export function toText(checks: readonly Check[]): string {
  const rows = checks.flatMap(({ status, name, detail, advice }) => [
    [status, name, detail],
    ...(advice ? [["", "", advice]] : []),
  ]);
  return table(rows);
}

function unreachable(error: unknown): Check {
  const detail = error instanceof Error ? inFlags(error.message) : String(error);
  return { name: "login", status: "failed", detail, advice: "Nothing else was looked at." };
}
