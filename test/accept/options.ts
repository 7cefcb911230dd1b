import { Command, Option } from "commander";
import {
  addConnectionOptions,
  type HostConnection,
  readConnection,
} from "../../provider/cli/connection-options";

/** What the command line asks for. */
export interface Options {
  readonly connection: HostConnection;
  /** Absolute folder on the host in which the discs' folders are made. */
  readonly srMountPath: string;
  /** A VM with an empty CD drive in which a disc may be put. */
  readonly vmUuid: string | undefined;
  /** Whether nobody is asked before it begins. */
  readonly isConfirmed: boolean;
  /** Whether the report names the host. */
  readonly isHostShown: boolean;
}

const EXIT_STATUS_HELP = `
The exit status is 0 when every check passed and nothing is left on the host.`;

/**
 * Reads the command line and the environment; prints the help where it is asked for.
 *
 * @throws UsageError, commander's CommanderError
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options {
  const command = new Command("npm run accept --")
    .description(
      "Checks the provider against a XenServer or XCP-ng host, in folders and storage repositories of its own, and " +
        "prints a report to paste into an issue.",
    )
    .exitOverride()
    .addOption(new Option("--sr-mount-path <folder>", "where folders are made").default("/var/opt/xen-iso"))
    .option(
      "--vm <uuid>",
      "a halted or running VM with an empty CD drive, in which a disc is put and ejected; not one that HA protects",
    )
    .option("--yes", "do not ask before it begins")
    .option("--show-host", "name the host in the report");
  addConnectionOptions(command).addHelpText("after", EXIT_STATUS_HELP);
  const flags = command.parse(args, { from: "user" }).opts<{
    readonly srMountPath: string;
    readonly vm?: string;
    readonly yes?: boolean;
    readonly showHost?: boolean;
  }>();
  return {
    connection: readConnection(flags, env),
    srMountPath: flags.srMountPath,
    vmUuid: flags.vm,
    isConfirmed: flags.yes ?? false,
    isHostShown: flags.showHost ?? false,
  };
}
