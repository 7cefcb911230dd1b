import { IsoBuildError } from "../iso/check";
import { SourceError } from "../source/error";
import { SshError } from "../ssh/error";
import { isExplained, XeError } from "../xe/error";
import { HostError } from "./error";

const PAGE = "https://github.com/pulumi-xen-iso/pulumi-xen-iso/blob/main/docs/troubleshooting.md";

/**
 * Appends a link to the section of `docs/troubleshooting.md` about the error's code, or about its cause's code if the
 * error has none. Without either, returns the message unchanged.
 */
export function withHelpLine(message: string, error: unknown): string {
  const anchor = anchorOf(error);
  return anchor === undefined ? message : `${message}\nSee ${PAGE}#${anchor}`;
}

function anchorOf(error: unknown): string | undefined {
  if (error instanceof XeError) return isExplained(error) ? error.code.toLowerCase() : "the-toolstack";
  if (
    error instanceof HostError ||
    error instanceof SshError ||
    error instanceof SourceError ||
    error instanceof IsoBuildError
  )
    return error.code.toLowerCase();
  return error instanceof Error && error.cause !== undefined ? anchorOf(error.cause) : undefined;
}
