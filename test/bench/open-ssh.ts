import { execFile } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { HostConnection } from "../simulator";

/** OpenSSH's own programs, on their way to a host. */
export class OpenSsh {
  readonly #options: readonly string[];

  /** @param prefix words before each program, such as those of `nsenter` */
  constructor(
    private readonly connection: HostConnection,
    private readonly prefix: readonly string[] = [],
  ) {
    const folder = mkdtempSync(join(tmpdir(), "openssh-"));
    const file = (name: string, text: string) => {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    };
    const settings = {
      IdentityFile: file("key", connection.privateKey),
      IdentitiesOnly: "yes",
      UserKnownHostsFile: file("known_hosts", `xen ${connection.hostKey}\n`),
      HostKeyAlias: "xen",
      BatchMode: "yes",
      Port: String(connection.port),
    };
    const words = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    this.#options = ["-q", "-F", "none", ...words];
  }

  /** Copies a local file to a path on the host. */
  async scp(localPath: string, remotePath: string, { cipher }: { cipher?: string } = {}): Promise<void> {
    const { user, host } = this.connection;
    const options = [...this.#options, ...(cipher ? ["-c", cipher] : [])];
    await this.#execute(["scp", ...options, localPath, `${user}@${host}:${remotePath}`]);
  }

  /** Runs a script on the host, and returns what it prints. */
  async run(script: string): Promise<string> {
    const { user, host } = this.connection;
    return this.#execute(["ssh", ...this.#options, `${user}@${host}`, script]);
  }

  async #execute(words: readonly string[]): Promise<string> {
    const [program = "", ...args] = [...this.prefix, ...words];
    return (await promisify(execFile)(program, args)).stdout;
  }
}
