import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server as Listener, type Socket } from "node:net";
import { join } from "node:path";
import { type AuthContext, type Connection, Server, type ServerChannel, type Session } from "ssh2";
import { authenticator } from "./authentication";
import { CommandRunner } from "./commands";
import type { HostCommand, HostConnection, Space, Transport, TransportOptions } from "./host";
import { addSpaces, emptyRun, makeHostFolder, newRoot, writeMemory } from "./host-folder";
import { generateKeyPair } from "./keys";
import { PASSWORD } from "./sshd-root";
import { serveSftp } from "./sftp";

/** OpenSSH's `MaxSessions`: channels open at a time on one connection. */
const MAX_SESSIONS = 10;

/** What the host's disk and its `/run` are said to hold, whatever this machine has. */
const DEFAULT_SPACE = [
  { path: "/", totalBytes: 18 * 1024 ** 3, availableBytes: 14 * 1024 ** 3, type: "ext2/ext3" },
  { path: "/run", totalBytes: 2 * 1024 ** 3, availableBytes: 2 * 1024 ** 3, type: "tmpfs" },
];

/**
 * A host whose SSH server runs in the test's own process, and whose commands run in a real bash with the
 * absolute paths in them put below a folder. Needs neither root nor sshd.
 */
export class EmbeddedTransport implements Transport {
  readonly #sockets = new Set<Socket>();
  readonly #runner: CommandRunner;
  #connections = 0;
  #sessions = 0;

  private constructor(
    private readonly options: TransportOptions,
    readonly connection: HostConnection,
    private readonly root: string,
    private readonly removeRoot: () => void,
    /** Its own listener, because ssh2's does not let Nagle's algorithm be switched off. */
    private readonly listener: Listener,
    keys: { host: string; client: string },
  ) {
    this.#runner = new CommandRunner(root);
    const authenticate = authenticator({
      password: PASSWORD,
      publicKey: keys.client,
      method: options.passwordMethod,
    });
    const ssh = new Server({ hostKeys: [keys.host] }, (client) => {
      this.#serve(client, authenticate());
    });
    listener.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      ssh.injectSocket(socket);
    });
  }

  static async start(options: TransportOptions): Promise<EmbeddedTransport> {
    const { root, removeRoot } = newRoot();
    makeHostFolder({ ...options, root, pathPrefix: root, spaces: DEFAULT_SPACE });
    const hostKey = generateKeyPair();
    const clientKey = generateKeyPair();
    const listener = createServer({ noDelay: true });
    const { host, port = 0 } = options.listenOn;
    await listen(listener, { host, port });
    const connection = {
      host,
      port: (listener.address() as AddressInfo).port,
      user: "root",
      password: PASSWORD,
      privateKey: clientKey.privateKey,
      hostKey: hostKey.publicKey,
    };
    const keys = { host: hostKey.privateKey, client: clientKey.publicKey };
    return new EmbeddedTransport(options, connection, root, removeRoot, listener, keys);
  }

  get connections(): number {
    return this.#connections;
  }

  get sessions(): number {
    return this.#sessions;
  }

  get commands(): readonly HostCommand[] {
    return this.#runner.commands;
  }

  path(hostPath: string): string {
    return join(this.root, hostPath);
  }

  setSpace(space: Space): void {
    addSpaces(this.root, [space], this.root);
  }

  setMemory(memory: { totalBytes: number; availableBytes: number }): void {
    writeMemory(this.root, memory);
  }

  async stopSshd(): Promise<void> {
    const closed = once(this.listener, "close");
    this.listener.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async startSshd(): Promise<void> {
    await listen(this.listener, this.connection);
  }

  async powerOff(): Promise<void> {
    if (this.listener.listening) await this.stopSshd();
    await this.#runner.killAll();
    emptyRun(this.root);
  }

  async powerOn(): Promise<void> {
    await this.startSshd();
  }

  async dispose(): Promise<void> {
    await this.powerOff();
    this.removeRoot();
  }

  #serve(client: Connection, authenticate: (context: AuthContext) => void): void {
    // A client that goes away without a word is its own business.
    client.on("error", () => undefined);
    client.on("authentication", authenticate);
    client.on("ready", () => {
      this.#connections++;
      let sessions = 0;
      client.on("tcpip", (accept, reject, { destIP, destPort }) => {
        forward(accept, reject, { host: destIP, port: destPort });
      });
      client.on("session", (accept, reject) => {
        if (sessions >= MAX_SESSIONS) return reject();
        sessions++;
        this.#sessions++;
        const session = accept();
        session.on("close", () => sessions--);
        this.#serveSession(session);
      });
    });
  }

  #serveSession(session: Session): void {
    session.on("exec", (accept, _reject, { command }) => {
      this.#runner.run(accept(), command);
    });
    // A program that a shell starts gets that shell's words among its own, which breaks it.
    if (this.options.sftp === "external" && this.#runner.isShellNoisy()) {
      session.on("subsystem", (accept) => {
        this.#runner.run(accept(), "cat >/dev/null");
      });
    } else {
      session.on("sftp", (accept) => {
        serveSftp(accept(), this.root);
      });
    }
  }
}

async function listen(
  listener: Listener,
  { host, port }: Pick<HostConnection, "host" | "port">,
): Promise<void> {
  listener.listen(port, host);
  await once(listener, "listening");
}

/** What a jump host does: a connection of its own, and bytes from one to the other. */
function forward(
  accept: () => ServerChannel,
  reject: () => void,
  target: { host: string; port: number },
): void {
  const socket = connect({ ...target, noDelay: true });
  socket.once("error", reject);
  socket.once("connect", () => {
    socket.off("error", reject);
    const channel = accept();
    channel.on("error", () => undefined).on("close", () => socket.destroy());
    socket.on("error", () => channel.destroy());
    channel.pipe(socket).pipe(channel);
  });
}
