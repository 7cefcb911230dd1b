import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { findEngine } from "../engine/engine";

/** On what a run was made. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  /** Where the local images and the host's files lie. */
  readonly files: string;
  /** Name to version. */
  readonly versions: Readonly<Record<string, string>>;
}

export async function describeMachine(files: string): Promise<Machine> {
  const [cpu] = cpus();
  return {
    processor: cpu?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    // The version alone: what a distribution adds says nothing of speed.
    system: `${process.platform} ${/^[\d.]+/.exec(release())?.[0] ?? ""} ${process.arch}`,
    files,
    versions: {
      "pulumi-xen-iso": versionIn(resolve(__dirname, "../..")),
      Node: process.versions.node,
      ssh2: `${versionOf("ssh2")} ${hasNativeCrypto() ? "with" : "without"} its native addon`,
      "ssh2-sftp-client": versionOf("ssh2-sftp-client"),
      OpenSSH: openSshVersion(),
      "@pulumi/pulumi": versionOf("@pulumi/pulumi"),
      "Pulumi engine": (await findEngine()).version,
    },
  };
}

function versionOf(name: string): string {
  return versionIn(resolve(__dirname, "../../node_modules", name));
}

function versionIn(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
  return version;
}

function hasNativeCrypto(): boolean {
  return existsSync(join(dirname(require.resolve("ssh2")), "protocol/crypto/build/Release/sshcrypto.node"));
}

function openSshVersion(): string {
  const { stderr } = spawnSync("ssh", ["-V"], { encoding: "utf8" });
  return /OpenSSH_(\S+?),?\s/.exec(stderr)?.[1] ?? "unknown";
}
