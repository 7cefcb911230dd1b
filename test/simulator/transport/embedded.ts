import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server as TcpServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AuthContext, type Connection, Server, type Session } from "ssh2";
import { setTimeout as sleep } from "node:timers/promises";
import { authenticator } from "./authentication";
import { CommandRunner } from "./commands";
import type { HostCommand, HostConnection, Space, Transport, TransportOptions } from "./host";
import { addSpaces, emptyRun, makeHostFolder, writeMemory } from "./host-folder";
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
  readonly connection: HostConnection;
  readonly #root: string;
  readonly #ssh: Server;
  readonly #tcp: TcpServer;
  readonly #sockets = new Set<Socket>();
  readonly #runner: CommandRunner;
  #connections = 0;

  private constructor(
    private readonly options: TransportOptions,
    root: string,
    connection: Omit<HostConnection, "port">,
    keys: { host: string; client: string },
  ) {
    this.#root = root;
    this.#runner = new CommandRunner(root);
    this.#ssh = new Server({ hostKeys: [keys.host] }, (client) => {
      this.#serve(client, { password: connection.password ?? "", publicKey: keys.client });
    });
    // Its own listener, because ssh2's does not let Nagle's algorithm be switched off.
    this.#tcp = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      this.#ssh.injectSocket(socket);
    });
    const port = () => (this.#tcp.address() as AddressInfo).port;
    let lastPort = 0;
    this.connection = {
      ...connection,
      get port() {
        return (lastPort ||= port());
      },
    };
  }

  static async start(options: TransportOptions): Promise<EmbeddedTransport> {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "xen-host-")));
    makeHostFolder({ ...options, root, pathPrefix: root, spaces: DEFAULT_SPACE });
    const hostKey = generateKeyPair();
    const clientKey = generateKeyPair();
    const connection = {
      host: "127.0.0.1",
      user: "root",
      password: PASSWORD,
      privateKey: clientKey.privateKey,
      hostKey: hostKey.publicKey,
    };
    const keys = { host: hostKey.privateKey, client: clientKey.publicKey };
    const transport = new EmbeddedTransport(options, root, connection, keys);
    await transport.#listen(0);
    void transport.connection.port;
    return transport;
  }

  get connections(): number {
    return this.#connections;
  }

  get commands(): readonly HostCommand[] {
    return this.#runner.commands;
  }

  path(hostPath: string): string {
    return join(this.#root, hostPath);
  }

  setSpace(space: Space): void {
    addSpaces(this.#root, [space], this.#root);
  }

  setMemory(memory: { totalBytes: number; availableBytes: number }): void {
    writeMemory(this.#root, memory);
  }

  async stopSshd(): Promise<void> {
    const closed = once(this.#tcp, "close");
    this.#tcp.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async startSshd(): Promise<void> {
    await this.#listen(this.connection.port);
  }

  async reboot(downMs: number): Promise<void> {
    await this.stopSshd();
    await this.#runner.killAll();
    emptyRun(this.#root);
    await sleep(downMs);
    await this.startSshd();
  }

  async dispose(): Promise<void> {
    if (this.#tcp.listening) await this.stopSshd();
    await this.#runner.killAll();
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #listen(port: number): Promise<void> {
    this.#tcp.listen(port, "127.0.0.1");
    await once(this.#tcp, "listening");
  }

  #serve(client: Connection, secrets: { password: string; publicKey: string }): void {
    const authenticate = authenticator({ ...secrets, method: this.options.passwordMethod });
    // A client that goes away without a word is its own business.
    client.on("error", () => undefined);
    client.on("authentication", (context: AuthContext) => {
      authenticate(context);
    });
    client.on("ready", () => {
      this.#connections++;
      let sessions = 0;
      client.on("session", (accept, reject) => {
        if (sessions >= MAX_SESSIONS) return reject();
        sessions++;
        const session = accept();
        session.on("close", () => sessions--);
        this.#serveSession(session);
      });
    });
  }

  #serveSession(session: Session): void {
    session.on("exec", (accept, _reject, { command }) => {
      this.#runner.run(accept(), command, session);
    });
    // A program that a shell starts gets that shell's words among its own, which breaks it.
    if (this.options.sftp === "external" && this.options.bashrc) {
      session.on("subsystem", (accept, reject, { name }) => {
        if (name === "sftp") this.#runner.run(accept(), "sleep 1", session);
        else reject();
      });
    } else {
      session.on("sftp", (accept) => {
        serveSftp(accept(), this.#root);
      });
    }
  }
}
