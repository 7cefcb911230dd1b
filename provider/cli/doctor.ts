import type { SharedConnection } from "../ssh/shared-connection";
import { inFlags } from "./connection-options";
import { type Check, diagnose } from "./diagnosis";
import { EXIT, type ExitStatus } from "./exit";
import { readHostFacts } from "./host-facts";
import { colour, print, table } from "./print";

/** What `doctor` is asked for. */
export interface DoctorOptions {
  readonly srMountPaths: readonly string[];
  readonly isJson: boolean;
}

/** Prints the checks; returns `failed` if one failed, `found` if one is a warning. */
export async function doctor(
  host: SharedConnection,
  { srMountPaths, isJson }: DoctorOptions,
): Promise<ExitStatus> {
  const checks = await readHostFacts(host, srMountPaths).then(diagnose, (error: unknown) => [
    unreachable(error),
  ]);
  print(isJson ? toJson(host.address, checks) : inColours(toText(checks)));
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

/** The document that `doctor --json` prints. */
export function toJson(address: string, checks: readonly Check[]): string {
  return JSON.stringify({ host: address, checks }, null, 2);
}

/** Colours the statuses at the start of lines. */
function inColours(text: string): string {
  return text.replace(/^(ok|warning|failed)\b/gm, (status) =>
    colour(COLOURS[status as Check["status"]], status),
  );
}

const COLOURS = { ok: "green", warning: "yellow", failed: "red" } as const;

function unreachable(error: unknown): Check {
  const detail = error instanceof Error ? inFlags(error.message) : String(error);
  return { name: "login", status: "failed", detail, advice: "Nothing else was looked at." };
}
