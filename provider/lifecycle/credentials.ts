import { isDeepStrictEqual } from "node:util";
import { isRefusedLogin } from "../ssh/error";
import { SharedConnection } from "../ssh/shared-connection";
import { addressOf, type SshTarget } from "../ssh/target";
import { type ConnectionInputs, effectiveConnection } from "./connection";
import { hasLogin, toSshTarget } from "./ssh-target";
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
 * either only after the host has proved its key, and none that the host has just refused.
 *
 * @param like the host whose newest credentials are tried: another one of the same pool has the same
 * @throws {@link SshError} of the newest credentials, where the stored ones are the same
 */
export async function logInTo(
  connection: ConnectionInputs,
  like: Pick<ConnectionInputs, "host" | "port" | "user"> = connection,
): Promise<SharedConnection> {
  const stored = await toSshTarget(connection);
  const today = newest.get(loginOf({ host: "", port: 22, user: "root", ...like }));
  if (today) {
    const target = await toSshTarget({ ...without(connection), ...today });
    const host = SharedConnection.to(target);
    try {
      await host.hostKey();
      return host;
    } catch (error) {
      // The credentials of a jump host are the same both times.
      if (!isRefusedLogin(error) || error.host !== host.address) throw error;
      const others = withoutRefused(stored, target);
      if (!hasLogin(others)) throw error;
      // A factor that was accepted is wanted again.
      return SharedConnection.to(error.code === "FACTOR_MISSING" ? stored : others);
    }
  }
  return SharedConnection.to(stored);
}

/** The target without the credentials that it has in common with one that was refused. */
function withoutRefused(target: SshTarget, refused: SshTarget): SshTarget {
  const isSame = (name: keyof SshTarget) => isDeepStrictEqual(target[name], refused[name]);
  const same = (["password", "privateKey", "agentSocketPath", "identityFiles"] as const).filter(isSame);
  // Another passphrase opens keys that could not be offered.
  const spent = isSame("privateKeyPassword")
    ? same
    : same.filter((name) => name !== "privateKey" && name !== "identityFiles");
  return { ...target, ...Object.fromEntries(spent.map((name) => [name, undefined])) };
}

function without(connection: ConnectionInputs): ConnectionInputs {
  const isCredential = (name: string) => (CREDENTIALS as readonly string[]).includes(name);
  return Object.fromEntries(Object.entries(connection).filter(([name]) => !isCredential(name)));
}

function loginOf(target: Pick<SshTarget, "host" | "port" | "user">): string {
  return `${target.user}@${addressOf(target)}`;
}
