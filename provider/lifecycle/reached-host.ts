import { isDeepStrictEqual } from "node:util";
import { allowsHostKey } from "../ssh/host-key";
import { SharedConnection } from "../ssh/shared-connection";
import { type ConnectionInputs, effectiveConnection } from "./connection";
import { logInTo } from "./credentials";
import { toSshTarget } from "./ssh-target";
import { isUnknown, UNKNOWN } from "./unknown";

/**
 * How a host was reached, as outputs record it: read and delete go there, whatever the stack's configuration says
 * today. What OpenSSH's configuration says is not part of it: that is a matter of the machine, and looked up anew.
 */
export interface ReachedHost {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The public key that the host proved to own: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
}

interface WithConnection {
  readonly connection?: ConnectionInputs;
}

/**
 * Logs in as the program and the configuration say.
 *
 * @throws `SshError`, with nothing left anywhere
 */
export async function logIn({
  connection,
}: WithConnection): Promise<{ host: SharedConnection; reached: ReachedHost }> {
  const effective = effectiveConnection(connection);
  const target = await toSshTarget(effective);
  const host = SharedConnection.to(target);
  const { host: name = target.host, port = 22, user = "root" } = effective;
  return { host, reached: { host: name, port, user, hostKey: await host.hostKey() } };
}

/**
 * Connects to the host that has a disc. Only the credentials may be newer than the state; they are sent after
 * the host has proved its key.
 */
export function hostOf(state: ReachedHost & WithConnection): Promise<SharedConnection> {
  const connection = effectiveConnection(state.connection);
  const { port: portToday, user: userToday, ...rest } = connection;
  const { host, port, user } = state;
  const hostKey = connection.hostKey === "ignore" ? connection.hostKey : state.hostKey;
  // A default that nobody has set is left to OpenSSH's configuration, as it was at the create.
  return logInTo({
    ...rest,
    host,
    ...((portToday !== undefined || port !== 22) && { port }),
    ...((userToday !== undefined || user !== "root") && { user }),
    hostKey,
  });
}

/** The part of {@link ReachedHost} that is known before a login. */
export function plannedHost(inputs: WithConnection): Partial<ReachedHost> {
  if (isUnknown(inputs.connection)) return {};
  const { host, port = 22, user = "root" } = connectionOf(inputs);
  return { ...(host !== undefined && { host }), port, user };
}

/** Any of these hosts reaches a pool-wide disc. */
interface WithPoolHosts {
  readonly hosts?: readonly { readonly name: string; readonly address: string }[];
}

/** Whether the program names another host, or one that is not known yet. */
export function isOtherHost(olds: ReachedHost & WithPoolHosts, news: WithConnection): boolean {
  const { host } = connectionOf(news);
  const isOfPool = (olds.hosts ?? []).some(({ name, address }) => name === host || address === host);
  return host !== olds.host && !isOfPool;
}

/**
 * Whether the program reaches the host in another way than the state: by another name, login, port, key or
 * proxy.
 */
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
