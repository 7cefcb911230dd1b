import { channel } from "node:diagnostics_channel";

/** What an operation waits for. */
export interface Wait {
  /** Completes "waiting for": `xen1:22 to run xe sr-create`. */
  readonly what: string;
  /** Completes "at most": `10 min`, `10 tries of 15 s`. */
  readonly atMost: string;
}

/** The begin or the end of a wait. */
export interface WaitMessage {
  readonly wait: Wait;
  readonly isOver: boolean;
}

/** Each wait is published here, in the asynchronous context of the operation; each message a {@link WaitMessage}. */
export const waitChannel = channel("pulumi-xen-iso:wait");

/** @returns the function that ends the wait */
export function beginWait(wait: Wait): () => void {
  if (!waitChannel.hasSubscribers) return () => undefined;
  waitChannel.publish({ wait, isOver: false } satisfies WaitMessage);
  let isOver = false;
  return () => {
    if (!isOver) waitChannel.publish({ wait, isOver: true } satisfies WaitMessage);
    isOver = true;
  };
}

/** Publishes a wait while `work` runs. */
export async function waiting<T>(wait: Wait, work: () => Promise<T>): Promise<T> {
  const end = beginWait(wait);
  try {
    return await work();
  } finally {
    end();
  }
}
