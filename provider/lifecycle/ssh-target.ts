import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { type JumpHost, readSshConfig, type SshConfig } from "../ssh/config";
import { SshError } from "../ssh/error";
import { addressOf, type SshTarget } from "../ssh/target";
import {
  type ConnectionInputs,
  effectiveConnection,
  ofJumpHost,
  type Origin,
  originOf,
  whereToSet,
} from "./connection";
import type { Problems } from "./problems";
import { isUnknown } from "./unknown";

/** More hops than any route has: `ProxyJump` is a loop. */
const MOST_HOPS = 8;

/** How a hop differs from the host itself. */
interface Hop {
  /** The user if nothing sets one. */
  readonly user: string;
  /** The hops before it, if they are known; else they come from OpenSSH's configuration. */
  readonly before: readonly JumpHost[];
  readonly depth: number;
}

/**
 * The target with its defaults. What `connection` leaves out comes from OpenSSH's configuration, which each
 * process reads again, and which is never stored.
 *
 * @throws {@link SshError} `SSH_CONFIG_REFUSED`
 */
export function toSshTarget(connection: ConnectionInputs): Promise<SshTarget> {
  return targetOf(connection, { user: "root", before: [], depth: 0 });
}

/**
 * Adds the problems of a connection whose fields are valid: OpenSSH's configuration cannot be read, or there is no way
 * to log in. Opens no connection.
 */
export async function checkLogin(inputs: unknown, problems: Problems): Promise<void> {
  if (isUnknown(inputs)) return;
  const given = inputs as ConnectionInputs | undefined;
  await checkRoute(effectiveConnection(given), { name: "connection", origin: originOf(given) }, problems);
}

/** Whether there is any credential. */
export function hasLogin({ password, privateKey, agentSocketPath, identityFiles = [] }: SshTarget): boolean {
  return (
    [password, privateKey, agentSocketPath].some((each) => each !== undefined) ||
    identityFiles.some((path) => existsSync(path))
  );
}

/** @returns whether OpenSSH's configuration could be read */
async function checkRoute(
  connection: ConnectionInputs,
  { name, origin }: { name: string; origin: Origin },
  problems: Problems,
): Promise<boolean> {
  const { host, port, user, sshConfig, proxy } = connection;
  if ([host, port, user, sshConfig, proxy].some(isUnknown)) return true;
  if (proxy) {
    const nameOf = origin("proxy");
    const ofProxyFields: Origin = (field) =>
      field === "sshConfig" && proxy.sshConfig === undefined ? origin(field) : ofJumpHost(nameOf);
    const route = { name: nameOf("proxy"), origin: ofProxyFields };
    // The way to the host leads by the jump host, and fails for the same reason.
    if (!(await checkRoute(ofProxy(connection, proxy), route, problems))) return false;
  }
  try {
    if (!hasLogin(await toSshTarget(connection))) problems.add(name, noLogin(connection, name));
    return true;
  } catch (error) {
    if (!(error instanceof SshError)) throw error;
    problems.add(origin("sshConfig")("sshConfig"), error.message);
    return false;
  }
}

function noLogin({ sshConfig }: ConnectionInputs, name: string): string {
  const orConfigure = name === "connection" ? ` (or ${whereToSet("password", "--secret ")})` : "";
  const orFile = sshConfig === false ? "" : ", or let ~/.ssh/config name an IdentityFile that exists";
  return `has no way to log in; set password, privateKey or agentSocketPath${orConfigure}${orFile}`;
}

/** A jump host uses the same configuration file. */
function ofProxy({ sshConfig }: ConnectionInputs, proxy: ConnectionInputs): ConnectionInputs {
  return { ...(sshConfig !== undefined && { sshConfig }), ...proxy };
}

async function targetOf(connection: ConnectionInputs, hop: Hop): Promise<SshTarget> {
  const { host, proxy, sshConfig, privateKey, agentSocketPath, port, user, ...rest } = connection;
  // check has verified it, unless somebody edited the state by hand.
  if (host === undefined)
    throw new TypeError(`connection.host: is missing; set it, or ${whereToSet("host")}.`);
  const config = await configOf(connection, host);
  const { dialErrorLimit = 10, perDialTimeout = 15 } = rest;
  const jumps = hop.before.length > 0 ? hop.before : (config?.jumps ?? []);
  if (config?.hasProxyCommand && !proxy && jumps.length === 0) throw proxyCommandRefused(host);
  return {
    ...rest,
    host: config?.hostName ?? host,
    port: port ?? config?.port ?? 22,
    user: user ?? config?.user ?? hop.user,
    privateKey,
    agentSocketPath: agentSocketPath ?? agentOf(config),
    // The program's key replaces them.
    identityFiles: privateKey === undefined ? config?.identityFiles : undefined,
    certificateFiles: config?.certificateFiles,
    identitiesOnly: config?.identitiesOnly,
    knownHosts: config?.knownHosts,
    dialErrorLimit,
    perDialTimeout,
    proxy: proxy
      ? await toSshTarget(ofProxy(connection, proxy))
      : await jumpTarget(
          jumps,
          { ...(sshConfig !== undefined && { sshConfig }), dialErrorLimit, perDialTimeout },
          hop,
        ),
  };
}

/** The last hop, reached through those before it. As with `ssh`, it gets none of the host's own credentials. */
async function jumpTarget(
  jumps: readonly JumpHost[],
  common: ConnectionInputs,
  { depth }: Hop,
): Promise<SshTarget | undefined> {
  const last = jumps.at(-1);
  if (!last) return undefined;
  if (depth >= MOST_HOPS)
    throw new SshError(
      "SSH_CONFIG_REFUSED",
      last.host,
      `ProxyJump in OpenSSH's configuration leads in a circle by ${last.host}. Set ProxyJump none for the first jump host.`,
    );
  const hop = { user: userInfo().username, before: jumps.slice(0, -1), depth: depth + 1 };
  return targetOf({ ...common, ...last }, hop);
}

async function configOf(
  { port, user, sshConfig }: ConnectionInputs,
  host: string,
): Promise<SshConfig | undefined> {
  if (sshConfig === false) return undefined;
  const file = typeof sshConfig === "string" ? sshConfig : undefined;
  const config = await readSshConfig({ host, port, user, file });
  if (config === undefined && sshConfig !== undefined)
    throw new SshError(
      "SSH_CONFIG_REFUSED",
      addressOf({ host, port: port ?? 22 }),
      "OpenSSH's configuration cannot be read, because no `ssh` can be run. Install OpenSSH's client, or leave sshConfig out.",
    );
  return config;
}

/** A direct connection would lead to another machine than `ssh` does, or to none. */
function proxyCommandRefused(host: string): SshError {
  const message =
    `OpenSSH's configuration has a ProxyCommand for ${host}, which is not run here. Set ProxyJump there instead, ` +
    "connection.proxy, or connection.sshConfig to false.";
  return new SshError("SSH_CONFIG_REFUSED", host, message);
}

function agentOf(config: SshConfig | undefined): string | undefined {
  const { identityAgent = process.env["SSH_AUTH_SOCK"] } = config ?? {};
  return identityAgent === "none" ? undefined : identityAgent;
}
