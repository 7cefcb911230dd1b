import { setMaxListeners } from "node:events";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { Client, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";
import { algorithmConflict, offeredAlgorithms, verifiable } from "./algorithms";
import { Authentication } from "./authentication";
import type { Connection } from "./connection";
import { SshError, type SshErrorCode } from "./error";
import { loadHostKeyPolicy, publicKeyText, type HostKeyRefusal } from "./host-key";
import { DEAD_SECONDS, watchLink } from "./keep-alive";
import { PacketSocket } from "./packet-socket";
import { ping } from "./ping";
import { SendWindow, STALL_TIMEOUT_MS } from "./send-window";
import { ServerHello } from "./server-hello";
import { printable } from "./printable";
import { addressOf, type SshTarget } from "./target";

/** How far a login has come, and what went wrong on the way. */
interface Course {
  /** Whether the address of the host is known. */
  isResolved: boolean;
  isConnected: boolean;
  isEncrypted: boolean;
  cause: NodeJS.ErrnoException | undefined;
  /** What the host said last, since the first credential was offered. */
  banner: string | undefined;
  refusal: HostKeyRefusal | undefined;
  readonly hello: ServerHello;
  readonly hostKeyAlgorithms: readonly ServerHostKeyAlgorithm[];
  readonly authentication: Authentication;
}

/**
 * Logs in once.
 *
 * @param stream to the target through its jump host, if it has one
 * @throws {@link SshError} with a code that says what went wrong
 */
export async function logIn(target: SshTarget, stream?: Duplex): Promise<Connection> {
  const address = addressOf(target);
  const policy = await loadHostKeyPolicy(target);
  const lost = new AbortController();
  // One listener for each command under way.
  setMaxListeners(0, lost.signal);
  const client = new Client();
  const course: Course = {
    isResolved: isIP(target.host) !== 0,
    isConnected: stream !== undefined,
    isEncrypted: false,
    cause: undefined,
    banner: undefined,
    refusal: undefined,
    hello: new ServerHello(),
    hostKeyAlgorithms: verifiable(policy.serverHostKeyAlgorithms),
    authentication: new Authentication(target, () => client.end()),
  };
  const { authentication, hello } = course;
  const sock = stream ?? new PacketSocket().connect(target.port, target.host);
  let hostKey = "";
  let cipher = "";

  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username: target.user,
    sock,
    authHandler: authentication.handler,
    algorithms: { ...offeredAlgorithms(), serverHostKey: [...course.hostKeyAlgorithms] },
    hostVerifier: (blob: Buffer) => {
      course.refusal = policy.verify(blob);
      hostKey = publicKeyText(blob);
      return course.refusal === undefined;
    },
    readyTimeout: target.perDialTimeout * 1_000,
  };

  await new Promise<void>((resolve, reject) => {
    sock.once("lookup", () => (course.isResolved = true));
    sock.once("connect", () => (course.isConnected = true));
    client.on("error", (error: NodeJS.ErrnoException & { level?: string }) => {
      // The login goes on with the next credential.
      if (error.level === "agent") authentication.agentFailed(error);
      else course.cause ??= error;
    });
    client.once("handshake", ({ cs }) => {
      course.isEncrypted = true;
      cipher = cs.cipher;
    });
    client.on("banner", (text) => {
      // Earlier ones greet everybody.
      if (authentication.hasOffered) course.banner = text;
    });
    client.on("change password", () => authentication.passwordExpired());
    client.once("ready", resolve);
    // Its close may take long: it waits for what is still to be sent.
    client.once("end", () => lost.abort(connectionLost(address, course.cause)));
    client.once("close", () => {
      lost.abort(connectionLost(address, course.cause));
      reject(failureOf(target, course));
    });
    try {
      client.connect(config);
      // ssh2 has paused the socket, so that this listener misses nothing.
      const listen = (chunk: Buffer) => hello.add(chunk);
      sock.on("data", listen);
      client.once("handshake", () => sock.off("data", listen));
      preferSha512(client);
      onAuthenticationFailure(client, (methods, isPartial) => authentication.refused(methods, isPartial));
    } catch (error) {
      sock.destroy();
      const message = `The login to ${address} could not begin. Report this with the versions of Node and of this package.`;
      reject(new SshError("HANDSHAKE_FAILED", address, `${message} (${String(error)})`, { cause: error }));
    }
  });
  // Nagle's algorithm against delayed acknowledgements costs a factor of a hundred on uploads.
  client.setNoDelay(true);
  const lose = (seconds: number) => {
    lost.abort(connectionLost(address, new Error(`no byte has moved for ${seconds} s`)));
    client.destroy();
  };
  const ask = (onAnswer: () => void) => ping(client, onAnswer);
  const endWatch = watchLink(
    sock,
    () => ask(() => undefined),
    () => lose(DEAD_SECONDS),
  );
  lost.signal.addEventListener("abort", endWatch);
  const onStalled = () => lose(STALL_TIMEOUT_MS / 1_000);
  return {
    client,
    target,
    address,
    hostKey,
    cipher,
    sessions: { open: 0, mostOpen: 0, hasBegun: false },
    outgoing: new SendWindow({ ping: ask, lost: lost.signal, onStalled }),
    lost: lost.signal,
    close: () => client.end(),
  };
}

/** `ssh2`'s handlers of messages from the host. */
interface Handlers {
  USERAUTH_FAILURE: (self: unknown, methods: readonly string[], isPartialSuccess: boolean) => void;
  EXT_INFO: (self: unknown, extensions: readonly { name: string; algs?: readonly string[] }[]) => void;
}

function handlersOf(client: Client): Handlers {
  return (client as unknown as { _protocol: { _handlers: Handlers } })._protocol._handlers;
}

/**
 * Sees every refusal of a credential before `ssh2` does. `ssh2` tells its `authHandler` nothing of the refusal of an
 * agent's key, not even that the host has accepted the key and wants more.
 */
function onAuthenticationFailure(
  client: Client,
  listener: (methods: readonly string[], isPartialSuccess: boolean) => void,
): void {
  const handlers = handlersOf(client);
  const handle = handlers.USERAUTH_FAILURE;
  handlers.USERAUTH_FAILURE = (self, methods, isPartialSuccess) => {
    listener(methods, isPartialSuccess);
    handle(self, methods, isPartialSuccess);
  };
}

/** Lets RSA keys sign with SHA-512 where the host takes that, as OpenSSH's client does; `ssh2` prefers SHA-256. */
function preferSha512(client: Client): void {
  const handlers = handlersOf(client);
  const handle = handlers.EXT_INFO;
  handlers.EXT_INFO = (self, extensions) => {
    const withoutSha256 = extensions.map((extension) =>
      extension.algs?.includes("rsa-sha2-512")
        ? { ...extension, algs: extension.algs.filter((name) => name !== "rsa-sha2-256") }
        : extension,
    );
    handle(self, withoutSha256);
  };
}

function connectionLost(address: string, cause: Error | undefined): SshError {
  const message = `The SSH connection to ${address} was lost. Run the command again once the host answers.`;
  return new SshError("CONNECTION_LOST", address, message, { cause });
}

/** What a failed login means, and what to do about it. */
function failureOf(target: SshTarget, course: Course): SshError {
  const { refusal, isEncrypted, hello, cause } = course;
  // Whoever resets a connection has accepted it, if only a moment before.
  const isConnected = course.isConnected || cause?.code === "ECONNRESET";
  if (refusal) return new SshError(refusal.code, addressOf(target), refusal.message);
  if (!isConnected) return connectFailure(target, course);
  if (hello.isSilent || hello.version === undefined) return helloFailure(target, course);
  return isEncrypted ? authenticationFailure(target, course) : handshakeFailure(target, course);
}

/** No answer from the host's network, in words of the kernel or the resolver. All other errors are this machine's own. */
const SILENCE = ["ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "EHOSTDOWN", "ENETUNREACH", "ENOTFOUND"];

function connectFailure(target: SshTarget, { cause, isResolved }: Course): SshError {
  const { address, say } = speaker(target, cause);
  if (!isSilence(cause) && !(isTimeout(cause) && isResolved))
    return say(
      "DIAL_FAILED",
      `This machine could not open a connection to ${address}. Check its name server, its firewall, and how many files and ports are open.`,
    );
  if (cause?.code === "ECONNREFUSED")
    return say(
      "CONNECTION_REFUSED",
      `Nothing listens for SSH at ${address}. SSH may be switched off on the host: switch it on in xsconsole ` +
        `(Remote Service Configuration), in XenCenter or with \`xe host-enable-ssh\`, and check the port.`,
    );
  if (cause?.code === "ENOTFOUND")
    return say("UNREACHABLE", `The name ${target.host} cannot be resolved. Check connection.host.`);
  return say(
    "UNREACHABLE",
    `${address} does not answer. Check address, port, network and firewall, and that the host is up.`,
  );
}

/** A host with several addresses is silent if one of them is: the others can be of a kind that this machine lacks. */
function isSilence(cause: (Error & { readonly code?: string | undefined }) | undefined): boolean {
  if (cause instanceof AggregateError) return cause.errors.some((each) => isSilence(each as Error));
  return SILENCE.includes(cause?.code ?? "");
}

function isTimeout(cause: Error | undefined): boolean {
  return levelOf(cause) === "client-timeout";
}

/** sshd itself closes connections without a version when it has too many of them (`MaxStartups`). */
function helloFailure(target: SshTarget, { cause, hello }: Course): SshError {
  const { address, say } = speaker(target, cause);
  if (hello.isSilent || /^(Exceeded MaxStartups|Not allowed at this time)/.test(hello.otherText))
    return say(
      "LOGIN_INTERRUPTED",
      `${address} accepts connections, but does not answer as an SSH server. Check the port, the load of the host, and what ` +
        `its sshd logs${hello.isSilent ? "" : `; it says "${hello.otherText}"`}.`,
    );
  return say(
    "NOT_SSH",
    `${address} is not an SSH server: it says "${hello.otherText}". Check connection.port.`,
  );
}

function handshakeFailure(target: SshTarget, { cause, hello, hostKeyAlgorithms }: Course): SshError {
  const { address, say } = speaker(target, cause);
  const conflict = hello.algorithms && algorithmConflict(hello.algorithms, hostKeyAlgorithms);
  if (conflict)
    return new SshError("NO_COMMON_ALGORITHM", address, `${address} and this program have ${conflict}`);
  if (saysWhy(cause))
    return say("HANDSHAKE_FAILED", `${address} ended the key exchange. Check what its sshd logs.`);
  return say(
    "LOGIN_INTERRUPTED",
    `The connection to ${address} ended during the key exchange. Check the network, and what its sshd logs.`,
  );
}

function authenticationFailure(target: SshTarget, { cause, banner, authentication }: Course): SshError {
  const { address, say } = speaker(target, cause);
  const level = levelOf(cause);
  const isAgentAsked = authentication.stopAgent();
  if (authentication.hasStopped || level === "client-authentication") return authentication.failure();
  if (cause && level === undefined) return authentication.failure(cause.message);
  if (!authentication.hasOffered)
    return say(
      "LOGIN_INTERRUPTED",
      `The connection to ${address} was lost during the login. Check the network, and what its sshd logs.`,
    );
  if (isTimeout(cause) && isAgentAsked) return authentication.agentSilent(target.perDialTimeout);
  if (isTimeout(cause))
    return say(
      "LOGIN_TIMED_OUT",
      `${address} did not answer the login of ${target.user} within ${target.perDialTimeout} s. Check what its sshd and its ` +
        `user database (PAM, LDAP) are waiting for, or set a longer perDialTimeout.`,
    );
  const said = printable(banner ?? "");
  return say(
    "LOGIN_ENDED",
    `The connection to ${address} ended without an answer once ${authentication.offered} was offered for ${target.user}. It was not ` +
      "tried again, because failed logins can lock an account. Check there whether the account has expired or is kept out " +
      `(/etc/nologin, pam_access), and what its sshd logs.${said === "" ? "" : ` (The host said: ${said})`}`,
  );
}

/** The host gave a reason with its disconnect, or `ssh2` found the handshake wrong. */
function saysWhy(cause: NodeJS.ErrnoException | undefined): boolean {
  return cause !== undefined && !["client-socket", "client-timeout"].includes(levelOf(cause) ?? "");
}

function levelOf(cause: Error | undefined): string | undefined {
  return cause && "level" in cause ? String(cause.level) : undefined;
}

function speaker(target: SshTarget, cause: Error | undefined) {
  const address = addressOf(target);
  const say = (code: SshErrorCode, message: string) =>
    new SshError(code, address, cause?.message ? `${message} (${cause.message})` : message, { cause });
  return { address, say };
}
