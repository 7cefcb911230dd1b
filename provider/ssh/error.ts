/** What went wrong between this machine and a host, as a name to branch on. */
export type SshErrorCode =
  | "UNREACHABLE"
  | "CONNECTION_REFUSED"
  | "AUTHENTICATION_FAILED"
  | "HOST_KEY_UNKNOWN"
  | "HOST_KEY_CHANGED"
  | "HOST_KEY_REVOKED"
  | "HOST_KEY_MISMATCH"
  | "CONNECTION_LOST"
  | "COMMAND_TIMED_OUT"
  | "CHANNEL_REFUSED"
  | "SFTP_REFUSED";

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
