import type { HostFacts } from "./host-facts";
import { TIMING } from "./life";
import type { Options } from "./options";
import type { CheckResult } from "./run";
import type { Site } from "./site";

/** All that a report says. */
export interface Report {
  readonly packageVersion: string;
  /** The host's name or address, if it may be told. */
  readonly shownHost: string | undefined;
  readonly facts: HostFacts;
  readonly results: readonly CheckResult[];
  readonly site: Site;
  /** What is still on the host, each as a line. */
  readonly left: readonly string[];
}

/** Whether all checks passed and nothing is left. */
export function isPassed({ results, left }: Pick<Report, "results" | "left">): boolean {
  return left.length === 0 && results.every(({ outcome }) => outcome === "ok");
}

/** The report as text to paste into an issue. */
export function printReport(report: Report): string {
  const { facts, results, left, shownHost } = report;
  const named = shownHost === undefined ? "" : `${shownHost}, `;
  const count = (outcome: CheckResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const notRun = count("not run") > 0 ? `, ${count("not run")} not run` : "";
  return [
    "```",
    `pulumi-xen-iso ${report.packageVersion}`,
    `host: ${named}${facts.product}, SSH server ${facts.sshServer}`,
    `here: Node ${process.version}, ${process.platform} ${process.arch}`,
    "",
    ...results.map(printResult),
    "",
    ...printTimings(report.site),
    "",
    `${count("ok")} ok, ${count("FAILED")} FAILED${notRun}`,
    left.length === 0 ? "left on the host: nothing" : `left on the host: ${left.join(", ")}`,
    "```",
  ].join("\n");
}

/** A check as one line, and what did not hold below it. */
export function printResult({ name, outcome, durationMs, problems }: CheckResult): string {
  const line = `${outcome.padEnd(8)}${String(Math.round(durationMs)).padStart(7)} ms  ${name}`;
  const details = problems.flatMap((problem) => problem.split("\n"));
  return [line, ...details.map((detail) => `${" ".repeat(20)}${detail}`.trimEnd())].join("\n");
}

/** What must not stand in a report. */
export interface Private extends Pick<Options, "connection" | "isHostShown"> {
  /** What the host calls itself. */
  readonly hostName: string;
}

/** Text without secrets, should an error hold one against all rules, and without what tells which host it is. */
export function cleaned(text: string, { connection, isHostShown, hostName }: Private): string {
  const ways = [connection, ...(connection.proxy ? [connection.proxy] : [])];
  const secrets = ways
    .flatMap(({ password, privateKey, privateKeyPassword }) => [password, privateKey, privateKeyPassword])
    .filter((secret) => secret !== undefined);
  const withoutSecrets = secrets.reduce((rest, secret) => rest.replaceAll(secret, "<secret>"), text);
  return isHostShown
    ? withoutSecrets
    : withoutHost(withoutSecrets, [...ways.map(({ host = "" }) => host), hostName]);
}

/** Names, addresses and keys go. */
function withoutHost(text: string, names: readonly string[]): string {
  return names
    .filter((name) => name !== "")
    .reduce((rest, name) => rest.replace(wholeWord(name), "<host>"), text)
    .replace(/(?<![\d.])\d{1,3}(\.\d{1,3}){3}(?!\.?\d)/g, "<address>")
    .replace(/\bAAAA[A-Za-z0-9+/=]{20,}|\bSHA256:[A-Za-z0-9+/]{43}/g, "<key>");
}

function printTimings({ timings, start }: Site): string[] {
  return Object.values(TIMING).flatMap((what) => {
    const durationMs = timings.get(what);
    if (durationMs === undefined) return [];
    const mibPerSecond = start.images.large.sizeBytes / 1024 ** 2 / (durationMs / 1_000);
    const rate = what === TIMING.upload ? ` (${mibPerSecond.toFixed(1)} MiB/s)` : "";
    return [`${what}: ${Math.round(durationMs)} ms${rate}`];
  });
}

function wholeWord(name: string): RegExp {
  return new RegExp(`(?<![\\w-])${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w-])`, "gi");
}
