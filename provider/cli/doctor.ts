import type { SharedConnection } from "../ssh/shared-connection";
import { errorInFlags, type HostConnection } from "./connection-options";
import { type Check, diagnose, diagnosePool } from "./diagnosis";
import { EXIT, type ExitStatus } from "./exit";
import { type HostFacts, readHostFacts } from "./host-facts";
import { explainLogin } from "./login-fault";
import { readPoolFacts } from "./pool-facts";
import { colour, print, table } from "./print";

/** What `doctor` is asked for. */
export interface DoctorOptions {
  /** How the host is reached; the others of its pool are reached alike. */
  readonly connection: HostConnection;
  readonly srMountPaths: readonly string[];
  readonly isJson: boolean;
}

/** Prints the checks; returns `failed` if one failed, `found` if one is a warning. */
export async function doctor(host: SharedConnection, options: DoctorOptions): Promise<ExitStatus> {
  const { srMountPaths, isJson } = options;
  const checks = await readHostFacts(host, srMountPaths).then(
    async (facts) => [...diagnose(facts), ...(await checksOfPool(host, facts, options))],
    (error: unknown) => [explainLogin(error, host.target)],
  );
  print(isJson ? toJson(host.address, checks) : inColours(toText(checks)));
  if (checks.some(({ status }) => status === "failed")) return EXIT.failed;
  return checks.some(({ status }) => status === "warning") ? EXIT.found : EXIT.done;
}

/** Nothing for a host whose toolstack does not answer. */
async function checksOfPool(
  host: SharedConnection,
  { toolstack }: HostFacts,
  options: DoctorOptions,
): Promise<Check[]> {
  if ("problem" in toolstack) return [];
  try {
    return diagnosePool(await readPoolFacts(host, options));
  } catch (error) {
    const advice = "Run the command again.";
    return [{ name: "pool and discs", status: "warning", detail: errorInFlags(error), advice }];
  }
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
