import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What a link is like. */
export interface LinkQuality {
  readonly bitsPerSecond: number;
  /** There and back. */
  readonly roundTripMs: number;
  readonly lossPercent: number;
}

/** Every kernel has it, and lets every namespace choose it. */
const CONGESTION_CONTROL = "net.ipv4.tcp_congestion_control=reno";

/** A link between the network namespaces of another process and of this one. */
export class NetworkLink implements AsyncDisposable {
  /** The address of this process on it. */
  readonly hostAddress = "10.9.0.2";

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {}

  static async between(clientPid: number, quality: LinkQuality): Promise<NetworkLink> {
    const { bitsPerSecond, roundTripMs, lossPercent } = quality;
    const numbers = [clientPid, process.pid, bitsPerSecond, roundTripMs, lossPercent].map(String);
    const child = spawn("python3", [join(__dirname, "link.py"), ...numbers], { stdio: "pipe" });
    child.stderr.pipe(process.stderr);
    const [first] = (await Promise.race([once(child.stdout, "data"), once(child, "exit")])) as [unknown];
    if (!(first instanceof Buffer)) throw new Error("The link could not be made.");
    for (const pid of [clientPid, process.pid])
      execFileSync("nsenter", [...inNetworkOf(pid), "sysctl", "-q", "-w", CONGESTION_CONTROL]);
    return new NetworkLink(child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.child, "exit");
    this.child.stdin.end();
    await exited;
  }
}

/** Arguments of `nsenter` for a program that runs in the network of a process. */
export const inNetworkOf = (pid: number) => ["--target", String(pid), "--net"];
