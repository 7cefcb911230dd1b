import { AsyncLocalStorage } from "node:async_hooks";

/**
 * One call of an engine to a provider. A process of dynamic providers has one configuration and learns no more
 * about a call than its arguments; there is no session then.
 */
export interface Session {
  /** The provider's own, used in place of the stack's. Keys begin with `xen:`. */
  readonly configuration: { get(key: string): unknown };
  /** The resource of the call, as the engine knows it today. */
  readonly urn?: string;
  /** Aborted when the create or update of this call has to stop and undo what it did. */
  readonly signal?: AbortSignal;
}

const running = new AsyncLocalStorage<Session>();

/** Runs a call, and everything that it starts, in this session. */
export function inSession<T>(session: Session, call: () => T): T {
  return running.run(session, call);
}

/** The session of the call under way, if there is one. */
export function currentSession(): Session | undefined {
  return running.getStore();
}
