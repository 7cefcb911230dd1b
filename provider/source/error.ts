/** Why an image could not be fetched from its source, as a name to branch on. */
export type SourceErrorCode =
  /** No answer, or the connection failed too often. */
  | "UNREACHABLE"
  /** The server answered with an error status. */
  | "HTTP_STATUS"
  /** The file is shorter or longer than the server said. */
  | "WRONG_LENGTH"
  /** The server's file changed during the download. */
  | "CONTENT_CHANGED"
  | "CHECKSUM_MISMATCH"
  /** The checksum list does not name the file, or is not a list. */
  | "NO_CHECKSUM"
  /** The compressed file is damaged, or cut off. */
  | "ARCHIVE_DAMAGED"
  /** A pool-wide disc's image cannot be written into the temporary folder. */
  | "NOT_KEPT"
  | "NOT_AN_IMAGE";

/** An image that could not be fetched, decompressed or verified. */
export class SourceError extends Error {
  override readonly name = "SourceError";

  /**
   * @param code what to branch on
   * @param message what failed, then what to do; never the query of a URL nor a header, which can hold secrets
   */
  constructor(
    readonly code: SourceErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
