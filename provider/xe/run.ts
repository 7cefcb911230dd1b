import { SshError } from "../ssh/error";
import { retry } from "../ssh/retry";
import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import type { XeCommand } from "./commands";
import { isRefusedForNow, isReplyLost, XeError, xeErrorOf } from "./error";

/**
 * sm attaches one SR at a time per host, and a slow iSCSI or NFS attach may come first: the last of many waits
 * for minutes.
 */
const TIMEOUT_MS = 10 * 60_000;

/** Long enough for a toolstack to restart, or for a conflicting operation to end. */
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
  const { status, stdout, stderr } = await host.exec(sh`${command.words}`, {
    purpose: `run xe ${command.name}`,
    timeoutMs,
  });
  if (status === 0) return command.parse(stdout);
  throw xeErrorOf({ command: command.name, host: host.address, stderr });
}

/** Runs an idempotent command: repeats it while the toolstack restarts, and after a lost reply. */
export function runXeAgain<T>(host: SharedConnection, command: XeCommand<T>): Promise<T> {
  const waitingFor = `the toolstack of ${host.address} to take xe ${command.name}`;
  const isPassing = (error: unknown) => isRefusedForNow(error) || isAnswerLost(error);
  return retry({ ...AGAIN, waitingFor, isPassing }, () => runXe(host, command));
}

/** Whether to repeat an idempotent command: its reply did not come. */
export function isAnswerLost(error: unknown): boolean {
  return isReplyLost(error) || isLinkFailure(error);
}

/** Whether a command may have been carried out although it failed. */
export function mayBeDone(error: unknown): boolean {
  return error instanceof XeError ? error.outcome === "unknown" : isLinkFailure(error);
}

function isLinkFailure(error: unknown): boolean {
  return error instanceof SshError && ["CONNECTION_LOST", "COMMAND_TIMED_OUT"].includes(error.code);
}
