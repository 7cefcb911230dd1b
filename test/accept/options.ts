import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { ConnectionInputs } from "../../provider/lifecycle/connection";

/** What the command line asks for. */
export interface Options {
  readonly connection: ConnectionInputs & { readonly host: string };
  /** Absolute folder on the host in which the discs' folders are made. */
  readonly srMountPath: string;
  /** A VM with an empty CD drive in which a disc may be put. */
  readonly vmUuid: string | undefined;
  /** Whether nobody is asked before it begins. */
  readonly isConfirmed: boolean;
  /** Whether the report names the host. */
  readonly isHostShown: boolean;
}

/** A command line that cannot be followed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What `--help` prints. */
export const USAGE = `Usage: npm run accept -- --host <name or address> [options]

Checks the provider against a XenServer or XCP-ng host, in folders and storage repositories of its own, and
prints a report to paste into an issue.

  --host <host>               the host itself (dom0)
  --port <port>               default 22
  --user <user>               default root
  --private-key-file <path>   private key to log in with, in PEM or OpenSSH form
  --host-key <key>            "ssh-ed25519 AAAA…" or "SHA256:…"; without it known_hosts decides
  --agent-socket-path <path>  default: the variable SSH_AUTH_SOCK
  --sr-mount-path <folder>    where folders are made on the host, default /var/opt/xen-iso
  --vm <uuid>                 a halted or running VM with an empty CD drive, in which a disc is put and ejected;
                              not one that HA protects
  --yes                       do not ask before it begins
  --show-host                 name the host in the report
  --help                      print this

Passwords are read from XEN_PASSWORD and XEN_PRIVATE_KEY_PASSWORD, or asked for on the terminal.
The exit status is 0 when every check passed and nothing is left on the host.`;

const FLAGS = {
  host: { type: "string" },
  port: { type: "string" },
  user: { type: "string" },
  "private-key-file": { type: "string" },
  "host-key": { type: "string" },
  "agent-socket-path": { type: "string" },
  "sr-mount-path": { type: "string", default: "/var/opt/xen-iso" },
  vm: { type: "string" },
  yes: { type: "boolean", default: false },
  "show-host": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

/** A host that is gone in the midst of the run is told after so many tries. */
const DIAL_ERROR_LIMIT = 5;

/**
 * Reads the command line and the environment; `undefined` when it asks for help.
 *
 * @throws {@link UsageError}
 */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv): Options | undefined {
  const flags = parseFlags(args);
  if (flags.help) return undefined;
  if (flags.host === undefined) throw new UsageError("--host is missing; set it to the host to check.");
  return {
    connection: {
      host: flags.host,
      dialErrorLimit: DIAL_ERROR_LIMIT,
      ...given({
        port: flags.port === undefined ? undefined : Number(flags.port),
        user: flags.user,
        password: env["XEN_PASSWORD"] || undefined,
        privateKey: readKey(flags["private-key-file"]),
        privateKeyPassword: env["XEN_PRIVATE_KEY_PASSWORD"] || undefined,
        agentSocketPath: flags["agent-socket-path"],
        hostKey: flags["host-key"],
      }),
    },
    srMountPath: flags["sr-mount-path"],
    vmUuid: flags.vm,
    isConfirmed: flags.yes,
    isHostShown: flags["show-host"],
  };
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function readKey(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`--private-key-file: ${(error as Error).message}`);
  }
}

type Given<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}
