import type { SharedConnection } from "../ssh/shared-connection";
import { retry } from "../ssh/retry";
import type { XeCommand } from "./commands";
import { isPassing, parseXeError, XeError } from "./error";

/**
 * How long a call may take. sm attaches one SR at a time on a host, behind any slow iSCSI or NFS attach, so
 * the last of many waits for minutes.
 */
const TIMEOUT_MS = 10 * 60_000;

/**
 * Runs one `xe` command on the host.
 *
 * @throws {@link XeError} with xapi's code when `xe` reports a failure
 * @throws `SshError` when the link fails
 */
export async function runXe<T>(connection: SharedConnection, command: XeCommand<T>): Promise<T> {
  const { status, stdout, stderr } = await connection.exec(command.script, {
    purpose: `run xe ${command.name}`,
    timeoutMs: TIMEOUT_MS,
  });
  if (status === 0) return command.parse(stdout);
  const { code, params } = parseXeError(stderr);
  throw new XeError(code, params, command.name, connection.address, stderr.trim());
}

/** The same for a command that may be run twice, which is then worth repeating while the toolstack restarts. */
export function runXeAgain<T>(connection: SharedConnection, command: XeCommand<T>): Promise<T> {
  return retry({ isPassing, firstPauseMs: 500, growth: 1.6, longestPauseMs: 10_000, budgetMs: 60_000 }, () =>
    runXe(connection, command),
  );
}
