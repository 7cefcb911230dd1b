import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { remote } from "../../provider/host/remote";
import { type Script, sh } from "../../provider/ssh/sh";
import { rewritePaths } from "../simulator/transport/rewrite";

/** The bash that runs the functions; that of a dom0 is 4.2. */
const BASH = process.env["BASH_UNDER_TEST"] ?? "bash";

/** How a function ended. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that stands for a host, with a fake `xe`, in which the functions of `provider/host/remote` are run. */
export class RemoteHost implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), "remote-"));
  /** A mount path of its own. */
  readonly mountPath = join(this.root, "isos");

  constructor() {
    this.write("etc/xensource-inventory", "PRODUCT_BRAND='XCP-ng'\nINSTALLATION_UUID='host-1'\n");
    this.xe({});
    mkdirSync(this.mountPath);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  read(...parts: readonly string[]): string {
    return readFileSync(this.path(...parts), "utf8");
  }

  has(...parts: readonly string[]): boolean {
    return existsSync(this.path(...parts));
  }

  mode(...parts: readonly string[]): string {
    return (statSync(this.path(...parts)).mode & 0o777).toString(8);
  }

  /** Makes the folders above it too. */
  write(path: string, text: string | Buffer): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  /** Puts a program on the host's PATH. */
  program(name: string, body: string): void {
    this.write(`bin/${name}`, `#!/bin/bash\n${body}\n`);
    chmodSync(this.path("bin", name), 0o755);
  }

  /** What `xe` does for each command: shell text that sees the arguments. Every call is noted; see {@link calls}. */
  xe(commands: Readonly<Record<string, string>>): void {
    const cases = Object.entries(commands).map(([name, body]) => `${name}) shift; ${body} ;;`);
    const body = `printf '%s\\n' "$*" >>${this.path("calls")}\ncase $1 in\n${cases.join("\n")}\nesac`;
    this.program("xe", body);
  }

  /** The calls of `xe` so far, each as one line. */
  get calls(): readonly string[] {
    return this.has("calls") ? this.read("calls").trimEnd().split("\n") : [];
  }

  /**
   * Calls a function in the host's root, as a command over SSH does.
   *
   * @param before shell text that is run first, in the same shell
   * @param after shell text that is run behind it, if it succeeds
   */
  run(call: Script, { input = "", before = "", after = ":", cwd = this.root } = {}): Outcome {
    // The call may name this folder itself: paths are put below it in the functions alone.
    const functions = remote(call).text.slice(0, -call.text.length);
    const script = `${before}\n${rewritePaths(functions, this.root)}\n${call.text} && { ${after}; }`;
    const { status, stdout, stderr } = spawnSync(BASH, ["-c", `(${script}\n)`], {
      cwd,
      input,
      encoding: "utf8",
      env: { HOME: this.root, PATH: `${this.path("bin")}:/usr/bin:/bin`, LC_ALL: "C" },
      timeout: 30_000,
    });
    return { status, stdout, stderr };
  }

  /** A folder of a disc in the mount path, with these files in it. */
  disc(name: string, files: Readonly<Record<string, string>> = {}): string {
    mkdirSync(join(this.mountPath, name), { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(this.mountPath, name, file), text);
    return join(this.mountPath, name);
  }
}

/** Names of folders. */
export const [FOLDER, OTHER, THIRD] = [
  "7b84f233-8aa3-468d-b254-fd585194da21",
  "44468271-9e5b-463e-91d3-bcb67feb3a01",
  "0f6c0a3e-6f0e-4c57-9d3c-2b1f4d5a7e90",
] as const;

/** UUIDs of an SR, its PBD and its VDI. */
export const [SR, PBD, VDI] = [
  "11111111-1111-4111-8111-111111111111",
  "22222222-2222-4222-8222-222222222222",
  "33333333-3333-4333-8333-333333333333",
] as const;

/** The marker of this process, which is alive, or of one that is gone. */
export function markerOf(
  owner: string,
  { isAlive, size = 0, isoName = "x.iso" }: { isAlive: boolean; size?: number; isoName?: string },
): string {
  const started = /^.*\) (?:\S+ ){19}(\d+)/s.exec(readFileSync("/proc/self/stat", "latin1"))?.[1] ?? "";
  const session = isAlive ? [process.pid, started] : [1, "then"];
  return `owner=${owner}\niso=${isoName}\nsize=${size}\nsession=${session[0]}\nstarted=${session[1]}\n`;
}

export { sh };
