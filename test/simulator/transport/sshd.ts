import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { HostConnection, Space, Transport, TransportOptions } from "./host";
import { addSpaces, makeHostFolder, newRoot, writeMemory } from "./host-folder";
import { generateKeyPair } from "./keys";
import { makeSshdRoot, PASSWORD } from "./sshd-root";

const INIT = join(__dirname, "..", "bin", "host-init");
const SSHD_PATHS = ["/usr/sbin/sshd", "/usr/local/sbin/sshd", "/usr/bin/sshd"];

/** What the disk is said to hold; `/run` is a real tmpfs. */
const DISK = { path: "/", totalBytes: 18 * 1024 ** 3, availableBytes: 14 * 1024 ** 3, type: "ext2/ext3" };
const RUN_BYTES = 2 * 1024 ** 3;

/** User ID of sshd where this process is not root's. */
const PLAIN_UID = 1000;

/** This machine cannot run hosts with a real sshd. */
class SshdUnavailableError extends Error {
  override readonly name = "SshdUnavailableError";

  /** @param code what is missing */
  constructor(
    readonly code: "NOT_LINUX" | "NO_SSHD" | "NO_NAMESPACES",
    message: string,
  ) {
    super(message);
  }
}

/** Whether hosts with a real sshd can run here. */
export function isSshdAvailable(): boolean {
  return whyUnavailable() === undefined;
}

/**
 * A host with a real OpenSSH server, in namespaces of its own for mounts and processes: its root is a folder,
 * its `/run` a tmpfs, and everything in it ends when this process does.
 */
export class SshdTransport implements Transport {
  /** The transport cannot see them. */
  readonly commands = [];
  readonly #root: string;
  #init: Init | undefined;
  #connections = 0;
  #sessions = 0;

  private constructor(
    readonly connection: HostConnection,
    root: string,
    private readonly removeRoot: () => void,
  ) {
    this.#root = root;
  }

  /** @throws SshdUnavailableError with the command that installs what is missing */
  static async start(options: TransportOptions): Promise<SshdTransport> {
    const unavailable = whyUnavailable();
    if (unavailable) throw unavailable;
    const { root, removeRoot } = newRoot();
    makeHostFolder({ ...options, root, pathPrefix: "", spaces: [DISK, runSpace()] });
    const hostKey = generateKeyPair();
    const clientKey = generateKeyPair();
    const { host } = options.listenOn;
    const port = options.listenOn.port ?? (await freePort(host));
    makeSshdRoot(root, {
      host,
      port,
      hostKey: hostKey.privateKey,
      authorizedKey: clientKey.publicKey,
      passwordMethod: options.passwordMethod,
      sftp: options.sftp,
      uid: isRoot() ? 0 : PLAIN_UID,
    });
    const connection = {
      host,
      port,
      user: "root",
      password: PASSWORD,
      privateKey: clientKey.privateKey,
      hostKey: hostKey.publicKey,
    };
    const transport = new SshdTransport(connection, root, removeRoot);
    try {
      await transport.#boot();
    } catch (error) {
      await transport.dispose();
      // Somebody else took the port in between.
      const isTaken = error instanceof HostStartError && /Bind to port/.test(error.message);
      if (isTaken && options.listenOn.port === undefined) return this.start(options);
      throw error;
    }
    return transport;
  }

  get connections(): number {
    return this.#connections;
  }

  get sessions(): number {
    return this.#sessions;
  }

  path(hostPath: string): string {
    // While it is up, through the eyes of its first process, which sees its tmpfs.
    return this.#init ? join(`/proc/${this.#init.pid}/root`, hostPath) : join(this.#root, hostPath);
  }

  setSpace(space: Space): void {
    addSpaces(this.#root, [space], "");
  }

  setMemory(memory: { totalBytes: number; availableBytes: number }): void {
    writeMemory(this.#root, memory, "etc/meminfo");
  }

  async stopSshd(): Promise<void> {
    await this.#init?.stopSshd();
  }

  async startSshd(): Promise<void> {
    await this.#init?.startSshd();
  }

  async powerOff(): Promise<void> {
    await this.#shutDown();
  }

  async powerOn(): Promise<void> {
    await this.#boot();
  }

  async dispose(): Promise<void> {
    await this.#shutDown();
    this.removeRoot();
  }

  async #boot(): Promise<void> {
    this.#init = await Init.start(this.#root, (line) => {
      if (/^Accepted \S+ for /.test(line)) this.#connections++;
      if (/^Starting session: (command|subsystem) /.test(line)) this.#sessions++;
    });
    await this.#init.startSshd();
  }

  async #shutDown(): Promise<void> {
    const init = this.#init;
    this.#init = undefined;
    await init?.end();
  }
}

/** What its first process or sshd said before it gave up. */
class HostStartError extends Error {}

/** The first process of a host, which ends with this one. */
class Init {
  readonly #lines: string[] = [];
  #pid = 0;
  #wake: () => void = () => undefined;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    onLine: (line: string) => void,
  ) {
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on("line", (line) => {
        this.#lines.push(line);
        onLine(line);
        this.#wake();
      });
    }
    child.stdin.on("error", () => undefined);
    child.on("exit", () => this.#wake());
  }

  static async start(root: string, onLine: (line: string) => void): Promise<Init> {
    const sshd = SSHD_PATHS.find(existsSync) ?? "sshd";
    const asUser = isRoot()
      ? []
      : ["unshare", "--user", `--map-user=${PLAIN_UID}`, `--map-group=${PLAIN_UID}`];
    const init = [INIT, root, sshd, String(RUN_BYTES), ...asUser];
    const child = spawn("unshare", [...namespaces(), "/bin/bash", ...init], { stdio: "pipe" });
    const started = new Init(child, onLine);
    started.#pid = Number(/\d+/.exec(await started.#line(/^pid /))?.[0]);
    return started;
  }

  /** As this machine counts processes. */
  get pid(): number {
    return this.#pid;
  }

  async startSshd(): Promise<void> {
    this.child.stdin.write("start\n");
    await this.#line(/^Server listening on /);
  }

  async stopSshd(): Promise<void> {
    this.child.stdin.write("stop\n");
    await this.#line(/^stopped$/);
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, "exit");
    this.child.stdin.end();
    await exited;
  }

  /** Waits for a line, and drops it with those before. */
  async #line(wanted: RegExp): Promise<string> {
    for (;;) {
      const at = this.#lines.findIndex((line) => wanted.test(line));
      const line = this.#lines.splice(0, at + 1).at(-1);
      if (line !== undefined) return line;
      if (this.child.exitCode !== null || this.#lines.some((each) => /^(Bind to port|fatal)/.test(each)))
        throw new HostStartError(`The host did not start: ${this.#lines.join("; ")}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

const isRoot = () => process.geteuid?.() === 0;

const runSpace = () => ({ path: "/run", totalBytes: RUN_BYTES, availableBytes: RUN_BYTES, type: "tmpfs" });

/** A process namespace, so that nothing outlives its first process. */
function namespaces(): string[] {
  const asRoot = isRoot() ? [] : ["--user", "--map-root-user"];
  return [...asRoot, "--mount", "--pid", "--fork", "--kill-child"];
}

function whyUnavailable(): SshdUnavailableError | undefined {
  if (process.platform !== "linux") {
    const message = `A host with a real sshd needs Linux. Use { transport: "embedded" } here.`;
    return new SshdUnavailableError("NOT_LINUX", message);
  }
  if (!SSHD_PATHS.some(existsSync)) {
    const message = "There is no OpenSSH server. Install it: apt-get install openssh-server";
    return new SshdUnavailableError("NO_SSHD", message);
  }
  const { status, stderr } = spawnSync("unshare", [...namespaces(), "true"], { encoding: "utf8" });
  if (status === 0) return undefined;
  const message = `Namespaces cannot be made here: run as root, or allow them to ordinary users (sysctl kernel.apparmor_restrict_unprivileged_userns=0). ${stderr}`;
  return new SshdUnavailableError("NO_NAMESPACES", message);
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
