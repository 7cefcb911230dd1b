import { isRefusedLogin } from "../ssh/error";
import { SharedConnection } from "../ssh/shared-connection";
import { addressOf, type SshTarget } from "../ssh/target";
import { type ConnectionInputs, effectiveConnection } from "./connection";
import { toSshTarget } from "./ssh-target";
import { isUnknown } from "./unknown";

const CREDENTIALS = ["password", "privateKey", "privateKeyPassword", "agentSocketPath"] as const;

type Credentials = Pick<ConnectionInputs, (typeof CREDENTIALS)[number]>;

/** The newest credentials that a program gave in this process, by login. */
const newest = new Map<string, Credentials>();

/** Whether these fields of a connection say how to log in. */
export const hasCredentials = (connection: ConnectionInputs = {}) =>
  CREDENTIALS.some((name) => connection[name] !== undefined);

/** Remembers the credentials that a program gives now: a disc to be deleted was stored with older ones. */
export function rememberCredentials(inputs: unknown): void {
  if (isUnknown(inputs)) return;
  const connection = effectiveConnection(inputs as ConnectionInputs | undefined);
  const { host, port = 22, user = "root" } = connection;
  const credentials = Object.fromEntries(CREDENTIALS.map((name) => [name, connection[name]]));
  if (host === undefined || [host, port, user, ...Object.values(credentials)].some(isUnknown)) return;
  newest.set(loginOf({ host, port, user }), credentials);
}

/**
 * Logs in to the host of an existing disc: with the newest credentials for it, else with the stored ones. Sends
 * either only after the host has proved its key.
 *
 * @param like the host whose newest credentials are tried: another one of the same pool has the same
 * @throws {@link SshError} of the stored credentials
 */
export async function logInTo(
  connection: ConnectionInputs,
  like: Pick<ConnectionInputs, "host" | "port" | "user"> = connection,
): Promise<SharedConnection> {
  const stored = await toSshTarget(connection);
  const today = newest.get(loginOf({ host: "", port: 22, user: "root", ...like }));
  if (today) {
    const host = SharedConnection.to(await toSshTarget({ ...without(connection), ...today }));
    try {
      await host.hostKey();
      return host;
    } catch (error) {
      if (!isRefusedLogin(error)) throw error;
    }
  }
  return SharedConnection.to(stored);
}

function without(connection: ConnectionInputs): ConnectionInputs {
  const isCredential = (name: string) => (CREDENTIALS as readonly string[]).includes(name);
  return Object.fromEntries(Object.entries(connection).filter(([name]) => !isCredential(name)));
}

function loginOf(target: Pick<SshTarget, "host" | "port" | "user">): string {
  return `${target.user}@${addressOf(target)}`;
}
