import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { makeSshdRoot, PASSWORD } from "../simulator/transport/sshd-root";
import "../simulator/dispose";

export { PASSWORD };

const HOST_INIT = join(__dirname, "..", "simulator", "bin", "host-init");
/** Long enough to read what is in a pipe already. */
const READ_MS = 20;
const SSHD = "/usr/sbin/sshd";

/** What an sshd is to be like, besides the defaults. */
export interface SshdOptions {
  /** Lines that stand before the others of sshd_config: the first value of an option counts. */
  readonly config?: readonly string[];
  readonly usePam?: boolean;
  /** `/etc/pam.d/sshd` */
  readonly pam?: readonly string[];
  /** Of the user root. */
  readonly shell?: string;
  /** Days since 1970 on which the password was set; 0 makes it expire at once. */
  readonly passwordSetOn?: number;
  /** Private keys of the host, at least one. */
  readonly hostKeys: readonly string[];
  /** Of the first of them. */
  readonly hostCertificate?: string;
  /** Public keys that may log in. */
  readonly authorizedKeys: readonly string[];
}

/** A real sshd in a root folder and namespaces of its own, which counts what comes in. */
export class Sshd implements AsyncDisposable {
  #log: string[] = [];
  /** Ports of the clients that are forgotten. */
  readonly #past = new Set<string>();

  private constructor(
    readonly port: number,
    private readonly root: string,
    private readonly child: ChildProcessWithoutNullStreams,
  ) {
    for (const output of [child.stdout, child.stderr])
      createInterface({ input: output }).on("line", (line) => this.#log.push(line));
  }

  static async start(options: SshdOptions): Promise<Sshd> {
    const root = mkdtempSync(join(tmpdir(), "sshd-"));
    const port = await freePort();
    const isRoot = process.geteuid?.() === 0;
    for (const name of ["tmp", "etc", "root", "run", "proc", "var", "old"])
      mkdirSync(join(root, name), { recursive: true });
    makeSshdRoot(root, {
      host: "127.0.0.1",
      port,
      hostKey: options.hostKeys[0] ?? "",
      authorizedKey: options.authorizedKeys.join("\n"),
      passwordMethod: "password",
      sftp: "internal",
      uid: isRoot ? 0 : 1000,
    });
    writeFileSync(join(root, "proc/meminfo"), "");
    writeConfig(root, options);
    writeAccount(root, options);
    const asUser = isRoot ? [] : ["unshare", "--user", "--map-user=1000", "--map-group=1000"];
    const namespaces = [
      ...(isRoot ? [] : ["--user", "--map-root-user"]),
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
    ];
    const init = ["/bin/bash", HOST_INIT, root, SSHD, String(16 * 1024 ** 2), ...asUser];
    const sshd = new Sshd(port, root, spawn("unshare", [...namespaces, ...init], { stdio: "pipe" }));
    sshd.child.stdin.write("start\n");
    for (let tries = 0; !sshd.#log.some((line) => line.startsWith("Server listening")); tries++) {
      if (tries > 200 || sshd.child.exitCode !== null)
        throw new Error(`sshd did not start: ${sshd.#log.join("; ")}`);
      await sleep(50);
    }
    return sshd;
  }

  /** Forgets the clients that came so far, with what is still to be logged of them: sshd answers first, and logs then. */
  async reset(): Promise<void> {
    await this.settle();
    for (const line of this.#log) {
      const port = /^Connection from \S+ port (\d+)/.exec(line)?.[1];
      if (port !== undefined) this.#past.add(port);
    }
    this.#log = [];
  }

  /** Reads what sshd has logged by now. */
  async settle(): Promise<void> {
    await sleep(READ_MS);
  }

  /** Connections since the last reset. */
  get connections(): number {
    return this.#count(/^Connection from /);
  }

  /** Refused passwords since the last reset, by method and password. */
  get failedPasswords(): number {
    return this.#count(/^Failed (password|keyboard-interactive)/);
  }

  /** Refused keys since the last reset. */
  get failedKeys(): number {
    return this.#count(/^Failed publickey/);
  }

  /** How often a refused key was offered again since the last reset. */
  get repeatedKeys(): number {
    const keys = this.#linesOf(/^Failed publickey/).map((line) => /SHA256:\S+/.exec(line)?.[0]);
    return keys.length - new Set(keys).size;
  }

  #count(pattern: RegExp): number {
    return this.#linesOf(pattern).length;
  }

  #linesOf(pattern: RegExp): string[] {
    const isPast = (line: string) => this.#past.has(/ port (\d+)/.exec(line)?.[1] ?? "");
    return this.#log.filter((line) => pattern.test(line) && !isPast(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.stdin.end();
    await exited;
    rmSync(this.root, { recursive: true, force: true });
  }
}

function writeConfig(root: string, { config = [], hostKeys, hostCertificate, usePam }: SshdOptions): void {
  const path = join(root, "etc/ssh/sshd_config");
  const keys = hostKeys.map((key, index) => {
    writeFileSync(join(root, `etc/ssh/host_key_${index}`), key, { mode: 0o600 });
    return `HostKey /etc/ssh/host_key_${index}`;
  });
  if (hostCertificate !== undefined) {
    writeFileSync(join(root, "etc/ssh/host_key_0-cert.pub"), hostCertificate);
    keys.push("HostCertificate /etc/ssh/host_key_0-cert.pub");
  }
  const defaults = readFileSync(path, "utf8").replace(/^HostKey .*\n/m, "");
  const lines = [...config, ...keys, `UsePAM ${usePam ? "yes" : "no"}`];
  writeFileSync(path, `${lines.join("\n")}\n${defaults}`);
}

function writeAccount(root: string, { pam, shell, passwordSetOn }: SshdOptions): void {
  const change = (name: string, edit: (text: string) => string) => {
    const path = join(root, "etc", name);
    writeFileSync(path, edit(readFileSync(path, "utf8")));
  };
  if (pam) change("pam.d/sshd", () => `${pam.join("\n")}\n`);
  if (shell) change("passwd", (text) => text.replace(":/root:/bin/bash", `:/root:${shell}`));
  if (passwordSetOn !== undefined) change("shadow", (text) => text.replace(":19000:", `:${passwordSetOn}:`));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
