import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "./connection";
import { isSilentHost, SshError } from "./error";
import { logIn } from "./login";
import { ping } from "./ping";
import { rejectWhenAborted } from "./reject-when-aborted";
import { retry } from "./retry";
import { addressOf, type SshTarget } from "./target";

const DIAL_AGAIN = { isPassing: isPassingDialError, firstPauseMs: 250, growth: 1.7, longestPauseMs: 5_000 };

/**
 * Logs in to a host, through its jump hosts if it has any. Retries failures that may be temporary, at most
 * `dialErrorLimit` times for all hops together: a refused or dropped connection (sshd's `MaxStartups` drops at
 * random), a host that does not answer, a name server that does not. All other failures are final.
 *
 * @throws {@link SshError} with a code that says what went wrong
 */
export async function connect(target: SshTarget): Promise<Connection> {
  const attempts = attemptsOf(target);
  const waitingFor = `a login to ${addressOf(target)}`;
  const route = new Route(target);
  try {
    return await retry({ ...DIAL_AGAIN, waitingFor, attempts }, () => route.dial());
  } catch (error) {
    route.close();
    throw error;
  }
}

/** How long a jump host may take to show that it is still there. */
const JUMP_ANSWER_MS = 5_000;

const attemptsOf = ({ dialErrorLimit }: SshTarget) =>
  dialErrorLimit < 0 ? Infinity : Math.max(1, dialErrorLimit);

/** How long {@link connect} tries at most, for people. */
export function limitOf(target: SshTarget): string {
  const attempts = attemptsOf(target);
  if (attempts === Infinity) return "for ever, as dialErrorLimit says";
  const seconds = secondsOfTry(target);
  const each = seconds === Infinity ? "" : ` of ${seconds} s`;
  return `${attempts} ${attempts === 1 ? "try" : "tries"}${each}`;
}

/** Behind a jump host, the connection is opened first and logged in to then, each within the timeout. */
function secondsOfTry({ perDialTimeout, proxy }: SshTarget): number {
  const own = perDialTimeout > 0 ? perDialTimeout : Infinity;
  return proxy ? secondsOfTry(proxy) + 2 * own + JUMP_ANSWER_MS / 1_000 : own;
}

/** The route to a host. A jump host stays logged in while the hops behind it are retried. */
class Route {
  readonly #before: Route | undefined;
  #jump: Connection | undefined;

  constructor(private readonly target: SshTarget) {
    this.#before = target.proxy && new Route(target.proxy);
  }

  async dial(): Promise<Connection> {
    if (!this.#before) return logIn(this.target);
    const jump = await this.#openJump(this.#before);
    const connection = await logIn(this.target, await forward(jump, this.target));
    // The link to the jump host ends with this one, however it ends.
    connection.lost.addEventListener("abort", () => jump.close());
    return connection;
  }

  close(): void {
    this.#jump?.close();
    this.#before?.close();
  }

  async #openJump(before: Route): Promise<Connection> {
    if (this.#jump && !this.#jump.lost.aborted) return this.#jump;
    try {
      return (this.#jump = await before.dial());
    } catch (error) {
      throw error instanceof SshError ? ofJumpHost(error) : error;
    }
  }
}

/** A stream to `target`, opened by its jump host. */
async function forward(jump: Connection, target: SshTarget): Promise<Duplex> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const stream = await Promise.race([
      openForward(jump, target, signal),
      rejectWhenAborted(jump.lost, signal),
      ...(target.perDialTimeout > 0 ? [sleep(target.perDialTimeout * 1_000, undefined, { signal })] : []),
    ]);
    if (stream) return stream;
    await assertAnswers(jump, signal);
    throw unreachableFrom(jump, addressOf(target));
  } finally {
    settled.abort();
  }
}

function openForward(jump: Connection, target: SshTarget, settled: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    try {
      jump.client.forwardOut("127.0.0.1", 0, target.host, target.port, (error, stream) => {
        // Nobody waits for it any more.
        if (settled.aborted) return error ? undefined : stream.destroy();
        return error ? reject(forwardFailure(jump, addressOf(target), error)) : resolve(stream);
      });
    } catch {
      // ssh2 throws on a socket that is broken, a little before it tells that it is.
    }
  });
}

/** A jump host that has gone silent does not tell whether the host behind it has. The next try logs in to it anew. */
async function assertAnswers(jump: Connection, signal: AbortSignal): Promise<void> {
  const answers = new Promise<boolean>((resolve) => ping(jump.client, () => resolve(true)));
  const isThere = await Promise.race([
    answers,
    rejectWhenAborted(jump.lost, signal),
    sleep(JUMP_ANSWER_MS, false, { signal }),
  ]);
  if (isThere) return;
  jump.client.destroy();
  const message = `The jump host ${jump.address} has stopped answering. Check its network, and a VPN on the way.`;
  throw new SshError("JUMP_HOST_UNREACHABLE", jump.address, message);
}

/** @see RFC 4254, section 5.1 */
const REASON = { prohibited: 1, connectFailed: 2, unknownType: 3 };

/** Only a connection that was tried and failed says anything about the host behind the jump host. */
function forwardFailure(
  jump: Connection,
  address: string,
  error: Error & { readonly reason?: number },
): SshError {
  const { reason, message } = error;
  if (reason === REASON.prohibited || reason === REASON.unknownType) return forwardingRefused(jump, error);
  if (reason === REASON.connectFailed && !/temporary failure in name resolution/i.test(message))
    return unreachableFrom(jump, address, error);
  return new SshError(
    "DIAL_FAILED",
    jump.address,
    `The jump host ${jump.address} could not open a connection to ${address}. Check its name server and its load. (${message})`,
    { cause: error },
  );
}

function forwardingRefused({ address }: Connection, cause: Error): SshError {
  const message =
    `The jump host ${address} does not forward connections (${cause.message}). ` +
    "Allow it in its sshd_config: AllowTcpForwarding, PermitOpen, DisableForwarding.";
  return new SshError("FORWARDING_REFUSED", address, message, { cause });
}

function unreachableFrom(jump: Connection, address: string, cause?: Error): SshError {
  const message =
    `The jump host ${jump.address} cannot reach ${address}. Check that name and port are right as seen from there` +
    (cause ? `. (${cause.message})` : ", and its network.");
  return new SshError("UNREACHABLE", address, message, { cause });
}

/** Names the hop that failed. A silent jump host proves nothing about the host behind it. */
function ofJumpHost(error: SshError): SshError {
  const message = `Jump host: ${error.message.replaceAll("connection.", "connection.proxy.")}`;
  const isSilent: boolean = isSilentHost(error);
  const code = isSilent ? "JUMP_HOST_UNREACHABLE" : error.code;
  return new SshError(code, error.host, message, { cause: error.cause });
}

function isPassingDialError(error: unknown): boolean {
  if (!(error instanceof SshError)) return false;
  if (["CONNECTION_REFUSED", "LOGIN_INTERRUPTED", "CONNECTION_LOST"].includes(error.code)) return true;
  const { code = "" } = (error.cause ?? {}) as NodeJS.ErrnoException;
  const isUnreached = ["UNREACHABLE", "JUMP_HOST_UNREACHABLE", "DIAL_FAILED"].includes(error.code);
  return isUnreached && !["ENOTFOUND", "EPERM", "EACCES"].includes(code);
}
