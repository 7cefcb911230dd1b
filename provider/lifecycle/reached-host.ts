import { isDeepStrictEqual } from "node:util";
import { allowsHostKey } from "../ssh/host-key";
import { SharedConnection } from "../ssh/shared-connection";
import { type ConnectionInputs, effectiveConnection, toSshTarget } from "./connection";
import { logInTo } from "./credentials";
import { isUnknown, UNKNOWN } from "./unknown";

/** How a host was reached, as outputs record it: read and delete go there, whatever the configuration says today. */
export interface ReachedHost {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `ssh-ed25519 AAAA…`, as the host proved to have it. */
  readonly hostKey: string;
}

interface WithConnection {
  readonly connection?: ConnectionInputs;
}

/**
 * Logs in as program and configuration say.
 *
 * @throws `SshError`, with nothing left anywhere
 */
export async function logIn({
  connection,
}: WithConnection): Promise<{ host: SharedConnection; reached: ReachedHost }> {
  const target = toSshTarget(effectiveConnection(connection));
  const host = SharedConnection.to(target);
  const { port, user } = target;
  return { host, reached: { host: target.host, port, user, hostKey: await host.hostKey() } };
}

/**
 * The host on which a disc was made. Only credentials may be newer; they are sent once the host has proved its key.
 */
export function hostOf(state: ReachedHost & WithConnection): Promise<SharedConnection> {
  const connection = effectiveConnection(state.connection);
  const { host, port, user } = state;
  const hostKey = connection.hostKey === "ignore" ? connection.hostKey : state.hostKey;
  return logInTo({ ...connection, host, port, user, hostKey });
}

/** What is known of {@link ReachedHost} before anybody logs in. */
export function plannedHost(inputs: WithConnection): Partial<ReachedHost> {
  if (isUnknown(inputs.connection)) return {};
  const { host, port = 22, user = "root" } = connectionOf(inputs);
  return { ...(host !== undefined && { host }), port, user };
}

/** A disc of a whole pool is reached by any of these. */
interface WithPoolHosts {
  readonly hosts?: readonly { readonly name: string; readonly address: string }[];
}

/** Whether the program names another host, or none that is known yet. */
export function isOtherHost(olds: ReachedHost & WithPoolHosts, news: WithConnection): boolean {
  const { host } = connectionOf(news);
  const isOfPool = (olds.hosts ?? []).some(({ name, address }) => name === host || address === host);
  return host !== olds.host && !isOfPool;
}

/** Whether the host is reached in another way than the state says: by another name, login, port, key or proxy. */
export function isConnectionChanged(
  olds: ReachedHost & WithConnection & WithPoolHosts,
  news: WithConnection,
): boolean {
  if (isOtherHost(olds, news) || !isDeepStrictEqual(olds.connection ?? {}, news.connection ?? {}))
    return true;
  const { port = 22, user = "root", hostKey } = connectionOf(news);
  return (
    port !== olds.port ||
    user !== olds.user ||
    (hostKey !== undefined && !allowsHostKey(hostKey, olds.hostKey))
  );
}

function connectionOf({ connection }: WithConnection): ConnectionInputs {
  return isUnknown(connection) ? { host: UNKNOWN } : effectiveConnection(connection);
}
