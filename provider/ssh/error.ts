/** What went wrong between this machine and a host, as a name to branch on. */
export type SshErrorCode =
  /** `ssh -G` refuses OpenSSH's configuration, or there is no `ssh` to read the one that was asked for. */
  | "SSH_CONFIG_REFUSED"
  /** No TCP connection: no route, no such name, or no answer in time. */
  | "UNREACHABLE"
  /** This machine could not try: no name server, no free port, a firewall of its own. Says nothing about the host. */
  | "DIAL_FAILED"
  | "CONNECTION_REFUSED"
  /** The jump host is silent. That says nothing about the host behind it. */
  | "JUMP_HOST_UNREACHABLE"
  /** The jump host does not forward connections. */
  | "FORWARDING_REFUSED"
  /** Something accepts connections there, but the login did not get to an answer. May pass. */
  | "LOGIN_INTERRUPTED"
  /** The host took credentials and did not answer in time. Not repeated, because a repeat could lock the account. */
  | "LOGIN_TIMED_OUT"
  /** The connection ended after credentials were offered, without an answer. Not repeated for the same reason. */
  | "LOGIN_ENDED"
  | "NOT_SSH"
  | "HANDSHAKE_FAILED"
  | "NO_COMMON_ALGORITHM"
  | "AUTHENTICATION_FAILED"
  /** The host accepted a credential and wants another one too. */
  | "FACTOR_MISSING"
  | "TOO_MANY_FAILURES"
  | "AGENT_FAILED"
  | "PASSWORD_EXPIRED"
  /** The host asks for something that is not the password, such as a one-time code. */
  | "PROMPT_UNANSWERED"
  | "HOST_KEY_UNKNOWN"
  | "HOST_KEY_CHANGED"
  | "HOST_KEY_REVOKED"
  | "HOST_KEY_MISMATCH"
  | "CONNECTION_LOST"
  | "COMMAND_TIMED_OUT"
  | "CHANNEL_REFUSED"
  /** The login works, but the host runs no command for it. */
  | "NO_SHELL"
  | "SFTP_REFUSED";

/** The host refused the credentials, or could not be given the ones it wants. */
const REFUSED_LOGIN: readonly SshErrorCode[] = [
  "AUTHENTICATION_FAILED",
  "FACTOR_MISSING",
  "TOO_MANY_FAILURES",
  "AGENT_FAILED",
  "PASSWORD_EXPIRED",
  "PROMPT_UNANSWERED",
];

/** Only silence: whatever answers in any way is there. */
const SILENT_HOST: readonly SshErrorCode[] = ["UNREACHABLE", "CONNECTION_REFUSED"];

/** The host would hear the same credentials again. */
const SPENT_LOGIN: readonly SshErrorCode[] = [...REFUSED_LOGIN, "LOGIN_TIMED_OUT"];

/** A failure of the SSH link itself: no command of the host is known to have failed. */
export class SshError extends Error {
  override readonly name = "SshError";

  /**
   * @param code what to branch on
   * @param host `host:port` as it was dialled
   * @param message one sentence of what failed, one of what to do; never a secret
   */
  constructor(
    readonly code: SshErrorCode,
    readonly host: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** Whether other credentials could have logged in. */
export function isRefusedLogin(error: unknown): error is SshError {
  return error instanceof SshError && REFUSED_LOGIN.includes(error.code);
}

/** Whether the same credentials would be refused again, and a repeat could lock the account. */
export function isSpentLogin(error: unknown): error is SshError {
  return error instanceof SshError && SPENT_LOGIN.includes(error.code);
}

/** Whether nothing answers at the host's address, so that the host may be gone. */
export function isSilentHost(error: unknown): error is SshError {
  return error instanceof SshError && SILENT_HOST.includes(error.code);
}
