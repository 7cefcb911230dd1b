import { channel } from "node:diagnostics_channel";
import { SshError } from "./error";

/** How a command on a host ended. Has no script text, which can hold a secret. */
export interface EndedCommand {
  /** `host:port` */
  readonly host: string;
  /** Its purpose: "run xe sr-create". */
  readonly purpose: string;
  readonly durationMs: number;
  /** Exit status, or the code of the error that ended it. */
  readonly outcome: number | string;
}

/** Publishes in the asynchronous context of the operation; each message is an {@link EndedCommand}. */
export const commandChannel = channel("pulumi-xen-iso:command");

/** Runs a command and reports how it ended. Costs nothing if nobody listens. */
export async function tellingItsEnd<T extends { readonly status: number }>(
  { host, purpose }: Pick<EndedCommand, "host" | "purpose">,
  run: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const tell = (outcome: number | string) => {
    if (!commandChannel.hasSubscribers) return;
    const durationMs = Math.round(performance.now() - startedAt);
    commandChannel.publish({ host, purpose, durationMs, outcome } satisfies EndedCommand);
  };
  try {
    const result = await run();
    tell(result.status);
    return result;
  } catch (error) {
    tell(error instanceof SshError ? error.code : "failed");
    throw error;
  }
}
