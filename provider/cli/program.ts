import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Argument, Command, CommanderError, Option } from "commander";
import { DEFAULT_SR_MOUNT_PATH, isMountPath } from "../host/folder";
import { withHelpLine } from "../host/help-line";
import type { ReachedPool } from "../host/reach-pool";
import { toSshTarget } from "../lifecycle/ssh-target";
import { SharedConnection } from "../ssh/shared-connection";
import {
  addConnectionOptions,
  assertUsable,
  errorInFlags,
  type Flags,
  type HostConnection,
  readConnection,
} from "./connection-options";
import { completionScript, type Shell, SHELLS } from "./completion";
import { doctor } from "./doctor";
import { EXIT, type ExitStatus, UsageError } from "./exit";
import { list } from "./list";
import { reachPool, sayMissing } from "./pool";
import { print } from "./print";
import type { Selector } from "./selection";
import { readStackExport } from "./stack-export";
import { sweep } from "./sweep";
import { completeCredentials, say } from "./terminal";

const EXIT_STATUS_HELP: Readonly<Record<"list" | "sweep" | "doctor", readonly string[]>> = {
  list: [
    "0  nothing to clean up",
    "1  the host could not be read",
    "2  the command line is invalid",
    "3  a corpse, a killed create or a folder without SR is there",
  ],
  sweep: [
    "0  nothing that was selected is left, but what --except-stack-export names",
    "1  something could not be removed",
    "2  the command line is invalid, or confirmation is needed without a terminal",
    "3  something that was selected stays: held by a VM, being made by another run, or the answer was no",
  ],
  doctor: [
    "0  all is well",
    "1  a check failed: discs cannot be made",
    "2  the command line is invalid",
    "3  there are warnings",
  ],
};

/**
 * Runs the command line.
 *
 * @returns the exit status
 */
export async function runCommandLine(args: readonly string[]): Promise<ExitStatus> {
  let status: ExitStatus = EXIT.done;
  const program = makeProgram((result) => (status = result));
  try {
    await program.parseAsync(args, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    say(withHelpLine(errorInFlags(error), error));
    return error instanceof UsageError ? EXIT.usage : EXIT.failed;
  }
}

function makeProgram(end: (status: ExitStatus) => void): Command {
  const program = new Command("pulumi-xen-iso")
    .description("Manages the temporary ISOs that pulumi-xen-iso has put on a XenServer or XCP-ng host.")
    .version(versionOfPackage(), "-V, --version", "print the version")
    .exitOverride()
    .showHelpAfterError("(run it with --help for what there is)")
    .addHelpText("after", "\n`pulumi-xen-iso help <command>` shows a command's options and exit statuses.");

  const listing = program
    .command("list")
    .description("Shows every temporary ISO on the host and the others of its pool, its owner and its state.")
    .option("--json", "print JSON")
    .action(async (flags: Flags) => {
      const srMountPaths = mountPathsOf(flags);
      end(await list(await reach(flags), { srMountPaths, isJson: flags["json"] === true }));
    });
  addHostOptions(listing, EXIT_STATUS_HELP.list);

  const sweeping = program
    .command("sweep")
    .summary("Removes temporary ISOs, those that you select. Shows them first, and asks.")
    .description(
      "Removes temporary ISOs: takes them out of drives, forgets their SRs, removes their folders. Shows them " +
        "first, and asks. What another run is making stays; what it has just made is live like any other: sweep a " +
        "stack while nothing else runs on it.",
    )
    .optionsGroup("Which, one of these:")
    .option("--uuid <uuid...>", "these, by the UUID of their SR or of their folder")
    .option(
      "--stack <name>",
      "those whose description names this stack; asks about each that no export names",
    )
    .option("--owner <urn>", "those whose description names this resource; likewise")
    .option("--pending", "those whose create was killed")
    .option("--lost", "corpses, and folders without SR")
    .optionsGroup("Options:")
    .option("--project <name>", "with --stack: those of this project; needed where several have such a stack")
    .option("--except-stack-export <file>", "not what this output of `pulumi stack export` names; - is stdin")
    .option("--eject", "also those in the drives of running VMs")
    .option("--yes", "do not ask; what would be asked about one by one stays")
    .action(async (flags: Flags) => end(await sweepAsAsked(flags)));
  addHostOptions(sweeping, EXIT_STATUS_HELP.sweep);

  const examining = program
    .command("doctor")
    .description(
      "Checks whether discs can be made on the host and the others of its pool, and says what would go wrong. Changes nothing.",
    )
    .option("--json", "print JSON")
    .action(async (flags: Flags) => {
      const srMountPaths = mountPathsOf(flags);
      const { host, connection } = await logIn(flags);
      end(await doctor(host, { connection, srMountPaths, isJson: flags["json"] === true }));
    });
  addHostOptions(examining, EXIT_STATUS_HELP.doctor);

  program
    .command("completion")
    .description("Prints a script that completes commands and options in a shell.")
    .addArgument(new Argument("<shell>").choices(SHELLS))
    .addHelpText("after", '\nFor bash, in ~/.bashrc: eval "$(pulumi-xen-iso completion bash)"')
    .action((shell: Shell) => print(completionScript(program, shell)));

  return program;
}

function versionOfPackage(): string {
  const text = readFileSync(join(__dirname, "..", "..", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function addHostOptions(command: Command, exitStatusHelp: readonly string[]): void {
  const mountPath = new Option(
    "--sr-mount-path <folder...>",
    "where the folders are; may be given several times",
  );
  const help = ["", "Exit status:", ...exitStatusHelp.map((line) => `  ${line}`)].join("\n");
  command
    .optionsGroup("Options:")
    .addOption(mountPath.default([DEFAULT_SR_MOUNT_PATH], DEFAULT_SR_MOUNT_PATH));
  addConnectionOptions(command).addHelpText("after", help);
}

async function sweepAsAsked(flags: Flags): Promise<ExitStatus> {
  const selector = readSelector(flags);
  const srMountPaths = mountPathsOf(flags);
  const path = textOf(flags, "exceptStackExport");
  const named = path === undefined ? undefined : await readStackExport(path);
  return sweep(await reach(flags), {
    srMountPaths,
    selector,
    evidence: { named, isEjecting: flags["eject"] === true },
    isConfirmed: flags["yes"] === true,
  });
}

/** Sends nothing yet: the first command logs in. */
async function logIn(flags: Flags): Promise<{ host: SharedConnection; connection: HostConnection }> {
  const connection = await completeCredentials(readConnection(flags, process.env));
  await assertUsable(connection);
  return { host: SharedConnection.to(await toSshTarget(connection)), connection };
}

/** The host, and the others of its pool. */
async function reach(flags: Flags): Promise<ReachedPool> {
  const { host, connection } = await logIn(flags);
  const pool = await reachPool(host, connection);
  sayMissing(pool);
  return pool;
}

function readSelector(flags: Flags): Selector {
  const stack = textOf(flags, "stack");
  const project = textOf(flags, "project");
  const urn = textOf(flags, "owner");
  const uuids = flags["uuid"] as readonly string[] | undefined;
  const selectors: (Selector | undefined)[] = [
    stack === undefined ? undefined : { by: "stack", stack, project },
    urn === undefined ? undefined : { by: "owner", urn },
    uuids === undefined ? undefined : { by: "uuid", uuids },
    flags["pending"] === true ? { by: "pending" } : undefined,
    flags["lost"] === true ? { by: "lost" } : undefined,
  ];
  const [selector, ...others] = selectors.filter((each) => each !== undefined);
  if (!selector || others.length > 0)
    throw new UsageError("Give exactly one of --uuid, --stack, --owner, --pending and --lost.");
  if (project !== undefined && selector.by !== "stack") throw new UsageError("--project goes with --stack.");
  return selector;
}

function mountPathsOf(flags: Flags): readonly string[] {
  const paths = flags["srMountPath"] as readonly string[];
  const wrong = paths.find((path) => !isMountPath(path));
  if (wrong !== undefined)
    throw new UsageError(
      `--sr-mount-path: ${JSON.stringify(wrong)} must be an absolute path without a trailing slash.`,
    );
  return paths;
}

function textOf(flags: Flags, name: string): string | undefined {
  return flags[name] as string | undefined;
}
