/**
 * `npm run accept -- --host <host> …`: the whole life of discs, the refusals, and the faults that do no harm, on a
 * XenServer / XCP-ng host that its owner names. See `--help`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommanderError } from "commander";
import { UsageError } from "../../provider/cli/exit";
import { completeCredentials, confirm, say } from "../../provider/cli/terminal";
import { identify } from "../../provider/host/identify";
import { toSshTarget } from "../../provider/lifecycle/ssh-target";
import { SharedConnection } from "../../provider/ssh/shared-connection";
import { checksFor } from "./checks";
import { readHostFacts } from "./host-facts";
import { makeImages } from "./images";
import { abortedByInterrupt } from "./interrupt";
import { TIMING } from "./life";
import { type Options, readOptions } from "./options";
import { cleaned, isPassed, printReport, printResult } from "./report";
import { type CheckResult, cleanUp, runChecks } from "./run";
import { Site } from "./site";
import { findEmptyDrive } from "./vm";

const EXIT = { passed: 0, failed: 1, usage: 2, interrupted: 130 } as const;

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2), process.env);
  say(planOf(options));
  if (!options.isConfirmed && !(await confirm("Go on?"))) return EXIT.failed;
  return accept({ ...options, connection: await completeCredentials(options.connection) });
}

/** What is going to happen, before it does. */
function planOf({ connection: { user = "root", host }, srMountPath, vmUuid }: Options): string {
  const lines = [
    `This logs in to ${host} as ${user}, and for about two minutes`,
    `- makes folders named by UUIDs in ${srMountPath}, one or two at a time, each with an image of 64 MiB at most;`,
    `  ${srMountPath} itself is made if it is missing, and stays`,
    "- makes a storage repository (SR) of most of them, named accept-<8 hex>-…, and forgets it again",
    "- tries what has to be refused: another host key, a file as srMountPath, an image that changes",
    ...(vmUuid === undefined
      ? []
      : [`- puts a disc into the empty CD drive of the VM ${vmUuid}, and ejects it`]),
    "Nothing else is changed. What it made is removed, whether the checks pass or not, and on Ctrl-C.",
  ];
  return lines.join("\n");
}

/** Logs in, runs the checks, removes what is left, and prints the report; returns the exit status. */
async function accept(options: Options): Promise<number> {
  const signal = abortedByInterrupt();
  const site = await reach(options, signal);
  const facts = await readHostFacts(site);
  if (options.vmUuid !== undefined) await findEmptyDrive(site, options.vmUuid);
  say(`What this run makes is named ${site.name}.`);

  const clean = (text: string) => cleaned(text, { ...options, hostName: facts.hostName });
  const results: CheckResult[] = [];
  for await (const { problems, ...rest } of runChecks(checksFor(options), site)) {
    const result = { ...rest, problems: problems.map(clean) };
    say(printResult(result));
    results.push(result);
  }
  const left = (await cleanUp(site)).map(clean);
  const shownHost = options.isHostShown ? options.connection.host : undefined;
  console.log(printReport({ packageVersion: packageVersion(), shownHost, facts, results, site, left }));
  if (signal.aborted) return EXIT.interrupted;
  return isPassed({ results, left }) ? EXIT.passed : EXIT.failed;
}

/** Checks the options as the arguments of a disc, then logs in. */
async function reach(options: Options, signal: AbortSignal): Promise<Site> {
  const { connection, srMountPath, vmUuid } = options;
  const host = SharedConnection.to(await toSshTarget(connection));
  const site = new Site({ host, connection, srMountPath, vmUuid, images: await makeImages(), signal });
  await site.check();
  await site.time(TIMING.connect, () => host.hostKey());
  await identify(host);
  return site;
}

function packageVersion(): string {
  const text = readFileSync(join(__dirname, "../../package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

main().then(
  (status) => (process.exitCode = status),
  (error: unknown) => {
    // It has said it itself.
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.passed : EXIT.usage;
      return;
    }
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.failed;
  },
);
