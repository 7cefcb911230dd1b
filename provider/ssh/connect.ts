import type { Duplex } from "node:stream";
import type { Connection } from "./connection";
import { isSilentHost, SshError } from "./error";
import { logIn } from "./login";
import { retry } from "./retry";
import { addressOf, type SshTarget } from "./target";

const DIAL_AGAIN = { isPassing: isPassingDialError, firstPauseMs: 250, growth: 1.7, longestPauseMs: 5_000 };

/**
 * Logs in to a host, through its jump hosts if it has any. Retries failures that may be temporary, at most
 * `dialErrorLimit` times for all hops together: a refused or dropped connection (sshd's `MaxStartups` drops at
 * random), a host that does not answer. All other failures are final.
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

const attemptsOf = ({ dialErrorLimit }: SshTarget) =>
  dialErrorLimit < 0 ? Infinity : Math.max(1, dialErrorLimit);

/** How long {@link connect} tries at most, for people. */
export function limitOf(target: SshTarget): string {
  const attempts = attemptsOf(target);
  if (attempts === Infinity) return "for ever, as dialErrorLimit says";
  const each = target.perDialTimeout > 0 ? ` of ${target.perDialTimeout} s` : "";
  return `${attempts} ${attempts === 1 ? "try" : "tries"}${each}`;
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
function forward(jump: Connection, target: SshTarget): Promise<Duplex> {
  const address = addressOf(target);
  return new Promise((resolve, reject) => {
    const limit = target.perDialTimeout > 0 ? target.perDialTimeout * 1_000 : 2 ** 31 - 1;
    const timer = setTimeout(() => reject(unreachableFrom(jump, address)), limit);
    const onLost = () => reject(jump.lost.reason as Error);
    jump.lost.addEventListener("abort", onLost);
    jump.client.forwardOut("127.0.0.1", 0, target.host, target.port, (error, stream) => {
      clearTimeout(timer);
      jump.lost.removeEventListener("abort", onLost);
      if (!error) return resolve(stream);
      return reject(
        isProhibited(error) ? forwardingRefused(jump, error) : unreachableFrom(jump, address, error),
      );
    });
  });
}

/** RFC 4254 §5.1: SSH_OPEN_ADMINISTRATIVELY_PROHIBITED */
const isProhibited = (error: Error & { readonly reason?: number }) => error.reason === 1;

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
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return ["UNREACHABLE", "JUMP_HOST_UNREACHABLE"].includes(error.code) && cause?.code !== "ENOTFOUND";
}
