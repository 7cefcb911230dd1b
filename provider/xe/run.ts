import type { SharedConnection } from "../ssh/shared-connection";
import { SshError } from "../ssh/error";
import { retry } from "../ssh/retry";
import type { XeCommand } from "./commands";
import { isRefusedForNow, isReplyLost, parseXeError, XeError } from "./error";

/**
 * How long a call may take. sm attaches one SR at a time on a host, behind any slow iSCSI or NFS attach, so
 * the last of many waits for minutes.
 */
const TIMEOUT_MS = 10 * 60_000;

/** How long a toolstack takes to restart, and an operation that is in the way to end. */
const AGAIN = { firstPauseMs: 500, growth: 1.6, longestPauseMs: 10_000, budgetMs: 60_000 };

/**
 * Runs one `xe` command on the host.
 *
 * @throws {@link XeError} with xapi's code when `xe` reports a failure
 * @throws `SshError` when the link fails
 */
export async function runXe<T>(
  host: SharedConnection,
  command: XeCommand<T>,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const { status, stdout, stderr } = await host.exec(command.script, {
    purpose: `run xe ${command.name}`,
    timeoutMs,
  });
  if (status === 0) return command.parse(stdout);
  const { code, params } = parseXeError(stderr);
  throw new XeError(code, params, command.name, host.address, stderr.trim());
}

/**
 * The same for a command that may be carried out twice: worth repeating while the toolstack restarts, and when
 * its answer got lost with the link.
 */
export function runXeAgain<T>(host: SharedConnection, command: XeCommand<T>): Promise<T> {
  return retry({ ...AGAIN, isPassing: (error) => isRefusedForNow(error) || isAnswerLost(error) }, () =>
    runXe(host, command),
  );
}

/** Whether a command may have been carried out though it failed: its answer did not come. */
export function isAnswerLost(error: unknown): boolean {
  const isLinkFailure =
    error instanceof SshError && ["CONNECTION_LOST", "COMMAND_TIMED_OUT"].includes(error.code);
  return isReplyLost(error) || isLinkFailure;
}
