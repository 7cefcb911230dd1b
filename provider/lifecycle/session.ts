import { AsyncLocalStorage } from "node:async_hooks";

/**
 * One call of the engine to a provider. A process of dynamic providers has a single configuration and knows
 * only the arguments of a call, so it has no session.
 */
export interface Session {
  /** The provider's own configuration, used instead of the stack's. Keys begin with `xen:`. */
  readonly configuration: { get(key: string): unknown };
  /** The name of the explicit provider that has this configuration; undefined for the default provider. */
  readonly provider?: string | undefined;
  /** The current URN of the resource. */
  readonly urn?: string;
  /** Aborted when the create or update has to stop and roll back. */
  readonly signal?: AbortSignal;
}

const running = new AsyncLocalStorage<Session>();

/** Runs a call, and everything that it starts, in this session. */
export function inSession<T>(session: Session, call: () => T): T {
  return running.run(session, call);
}

/** The session of the current call, if there is one. */
export function currentSession(): Session | undefined {
  return running.getStore();
}
