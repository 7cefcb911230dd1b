import type { ExecResult } from "../ssh/exec";

/** What failed on a host, as a code to branch on. */
export type HostErrorCode =
  | "NOT_A_XENSERVER"
  | "OTHER_HOST"
  | "FOLDER_FAILED"
  | "OWNER_BUSY"
  | "NO_ROOM"
  | "UPLOAD_INCOMPLETE"
  | "IMAGE_CHANGED"
  | "NOT_FOUND_IN_TIME"
  | "DISC_IN_USE"
  | "FOLDER_NOT_OURS"
  | "NOT_OUR_SR"
  | "NOT_ATTACHED"
  | "HOST_OFFLINE"
  | "VM_NOT_FOUND"
  | "DISC_NOT_FOUND"
  | "NO_DRIVE"
  | "DRIVE_OCCUPIED";

/** A step that failed on the host, other than an `xe` call. */
export class HostError extends Error {
  override readonly name = "HostError";

  /**
   * @param code what to branch on
   * @param host `host:port`
   * @param message one sentence of what failed, one of what to do, then the host's own words
   */
  constructor(
    readonly code: HostErrorCode,
    readonly host: string,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** A message with what the host wrote to standard error. */
export function withHostWords(message: string, { stderr }: Pick<ExecResult, "stderr">): string {
  const words = stderr.trim();
  return words ? `${message} The host says: ${words}` : message;
}

/** The timeout of a command that neither moves an image nor waits for the toolstack. */
export const QUICK_TIMEOUT_MS = 60_000;
