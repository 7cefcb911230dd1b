import { Client, type ConnectConfig } from "ssh2";
import { setMaxListeners } from "node:events";
import type { Readable } from "node:stream";
import { authenticationOf } from "./authentication";
import { SshError } from "./error";
import { loadHostKeyPolicy, publicKeyText, type HostKeyRefusal } from "./host-key";
import { PacketSocket } from "./packet-socket";
import { retry } from "./retry";
import { addressOf, type SshTarget } from "./target";

/** A connection that is logged in. Whoever opened it closes it. */
export interface Connection {
  readonly client: Client;
  readonly target: SshTarget;
  /** `host:port` for messages. */
  readonly address: string;
  /** The key that the host proved to have, as `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** What both sides agreed on for what is sent: `aes128-gcm@openssh.com`. */
  readonly cipher: string;
  /** Aborted, with the reason, when the link is gone. */
  readonly lost: AbortSignal;
  readonly close: () => void;
}

/**
 * AES-GCM first: with it `ssh2` is as fast as OpenSSH's own client, and OpenSSH has had it since 6.2.
 */
const CIPHERS = [
  "aes128-gcm@openssh.com",
  "aes256-gcm@openssh.com",
  "chacha20-poly1305@openssh.com",
  "aes128-ctr",
  "aes192-ctr",
  "aes256-ctr",
] as const;

/** Three unanswered keep-alives end the link: a dead one is noticed within 30 s. */
const KEEPALIVE = { keepaliveInterval: 7_000, keepaliveCountMax: 3 };

/**
 * Logs in to a host, through its jump host if it has one. What may pass by itself is tried again within
 * `dialErrorLimit`: a refused or dropped connection (sshd's `MaxStartups` drops at random), a host that does
 * not answer. A wrong host key or refused credentials are final.
 *
 * @throws {@link SshError} with a code that says which of these it was
 */
export function connect(target: SshTarget): Promise<Connection> {
  const attempts = target.dialErrorLimit < 0 ? Infinity : Math.max(1, target.dialErrorLimit);
  return retry(
    { isPassing: isPassingDialError, firstPauseMs: 250, growth: 1.7, longestPauseMs: 5_000, attempts },
    () => dial(target),
  );
}

async function dial(target: SshTarget): Promise<Connection> {
  if (!target.proxy) return logIn(target);
  const jump = await connect(target.proxy);
  try {
    const connection = await logIn(target, await forward(jump, target));
    const close = () => {
      connection.close();
      jump.close();
    };
    return { ...connection, close };
  } catch (error) {
    jump.close();
    throw error;
  }
}

/** A stream to `target` from its jump host's side of the network. */
function forward(jump: Connection, target: SshTarget): Promise<Readable> {
  return new Promise((resolve, reject) => {
    jump.client.forwardOut("127.0.0.1", 0, target.host, target.port, (error, stream) => {
      if (!error) return resolve(stream);
      const message =
        `The jump host ${jump.address} cannot reach ${addressOf(target)}. ` +
        `Check that name and port are right as seen from there, and that its sshd allows TCP forwarding.`;
      return reject(new SshError("UNREACHABLE", addressOf(target), message, { cause: error }));
    });
  });
}

async function logIn(target: SshTarget, sock?: Readable): Promise<Connection> {
  const address = addressOf(target);
  const policy = await loadHostKeyPolicy(target);
  const authentication = authenticationOf(target);
  const lost = new AbortController();
  // One listener for each command under way.
  setMaxListeners(0, lost.signal);
  const client = new Client();
  let hostKey = "";
  let cipher = "";
  let refusal: HostKeyRefusal | undefined;

  const config: ConnectConfig = {
    host: target.host,
    port: target.port,
    username: target.user,
    sock: sock ?? new PacketSocket().connect(target.port, target.host),
    authHandler: authentication.handler,
    algorithms: { cipher: [...CIPHERS], serverHostKey: policy.serverHostKeyAlgorithms },
    hostVerifier: (blob: Buffer) => {
      refusal = policy.verify(blob);
      hostKey = publicKeyText(blob);
      return refusal === undefined;
    },
    readyTimeout: target.perDialTimeout * 1_000,
    ...KEEPALIVE,
  };

  await new Promise<void>((resolve, reject) => {
    let cause: Error | undefined;
    client.on("error", (error) => (cause ??= error));
    client.once("handshake", ({ cs }) => (cipher = cs.cipher));
    client.once("ready", resolve);
    // Its close may be long in coming: it waits for what is still to be sent.
    client.once("end", () => lost.abort(connectionLost(address, cause)));
    client.once("close", () => {
      const reason = connectionLost(address, cause);
      lost.abort(reason);
      reject(
        refusal
          ? new SshError(refusal.code, address, refusal.message)
          : dialError(target, cause, authentication.tried()),
      );
    });
    client.connect(config);
  });
  // Nagle's algorithm against delayed acknowledgements costs a factor of a hundred on uploads.
  client.setNoDelay(true);
  return { client, target, address, hostKey, cipher, lost: lost.signal, close: () => client.end() };
}

function connectionLost(address: string, cause: Error | undefined): SshError {
  const message = `The SSH connection to ${address} was lost. Run the command again once the host answers.`;
  return new SshError("CONNECTION_LOST", address, message, { cause });
}

/** What a failed attempt to connect means, and what to do about it. */
function dialError(target: SshTarget, cause: NodeJS.ErrnoException | undefined, tried: string): SshError {
  const address = addressOf(target);
  const level = cause && "level" in cause ? cause.level : undefined;
  const say = (code: ConstructorParameters<typeof SshError>[0], message: string) =>
    new SshError(code, address, cause?.message ? `${message} (${cause.message})` : message, { cause });

  if (level === "client-authentication")
    return say(
      "AUTHENTICATION_FAILED",
      `${address} refused to log in ${target.user} (tried: ${tried}). ` +
        `Check user, password and privateKey; if the password was changed since the last \`pulumi up\`, refresh and destroy ` +
        `still use the old one unless they are run with --run-program.`,
    );
  if (cause?.code === "ECONNREFUSED")
    return say(
      "CONNECTION_REFUSED",
      `Nothing listens for SSH at ${address}. SSH may be switched off on the host: switch it on in xsconsole ` +
        `(Remote Service Configuration), in XenCenter or with \`xe host-enable-ssh\`, and check the port.`,
    );
  if (cause?.code === "ENOTFOUND")
    return say("UNREACHABLE", `No host has the name ${target.host}. Check connection.host.`);
  return say(
    "UNREACHABLE",
    `${address} does not answer as an SSH server. Check address, port, network and firewall, and that the host is up.`,
  );
}

function isPassingDialError(error: unknown): boolean {
  if (!(error instanceof SshError)) return false;
  if (error.code === "CONNECTION_REFUSED") return true;
  return (
    error.code === "UNREACHABLE" && (error.cause as NodeJS.ErrnoException | undefined)?.code !== "ENOTFOUND"
  );
}
