import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BIN_FOLDER } from "./host-folder";

/** What sshd in a host's root is to be like. */
export interface SshdSettings {
  readonly host: string;
  readonly port: number;
  /** In OpenSSH form. */
  readonly hostKey: string;
  /** `ssh-ed25519 AAAA…` of who may log in. */
  readonly authorizedKey: string;
  readonly passwordMethod: "password" | "keyboard-interactive";
  readonly sftp: "external" | "internal";
  /** User ID that sshd has inside; one that is not 0 logs in nobody but itself, by the name of root. */
  readonly uid: number;
}

/** What `crypt` makes of {@link PASSWORD}. */
const PASSWORD_HASH =
  "$6$simulatedxenhost$30eF4zCrWkRpMm.xuJEgjYaVwR.c6yOE8XnTJyh0g3f7ZnPSwAo9706ED9Rtq9zxLTmPsDsijrWfRcTBgQTqI/";

/** root's password on every host. */
export const PASSWORD = "Xen-p4ssword";

const SFTP_SERVERS = [
  "/usr/lib/openssh/sftp-server",
  "/usr/libexec/openssh/sftp-server",
  "/usr/lib/ssh/sftp-server",
];

/** Completes a host's folder to a root in which sshd can run. */
export function makeSshdRoot(root: string, settings: SshdSettings): void {
  const folders = ["old", "usr", "dev", "etc/ssh", "etc/pam.d", "root/.ssh", "var/empty/sshd"];
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true });
  mirrorTopLevel(root);
  if (existsSync("/etc/ld.so.cache")) cpSync("/etc/ld.so.cache", join(root, "etc/ld.so.cache"));
  writeAccounts(root, settings.uid);
  writeFileSync(join(root, "etc/ssh/host_key"), settings.hostKey, { mode: 0o600 });
  writeFileSync(join(root, "root/.ssh/authorized_keys"), `${settings.authorizedKey}\n`, { mode: 0o600 });
  writeSshdConfig(root, settings);
  chmodSync(join(root, "root"), 0o700);
  chmodSync(join(root, "tmp"), 0o1777);
}

/** `/bin` and its kin as on this machine: links into `/usr`, or folders that will be mounted. */
function mirrorTopLevel(root: string): void {
  for (const name of ["bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc/alternatives"]) {
    if (!existsSync(`/${name}`)) continue;
    if (lstatSync(`/${name}`).isSymbolicLink()) symlinkSync(readlinkSync(`/${name}`), join(root, name));
    else mkdirSync(join(root, name), { recursive: true });
  }
}

function writeAccounts(root: string, uid: number): void {
  const file = (name: string, lines: readonly string[], mode = 0o644) => {
    writeFileSync(join(root, "etc", name), lines.map((line) => `${line}\n`).join(""), { mode });
  };
  file("passwd", [
    `root:x:${uid}:${uid}:root:/root:/bin/bash`,
    "sshd:x:74:74:Privilege-separated SSH:/var/empty/sshd:/usr/sbin/nologin",
  ]);
  file("group", [`root:x:${uid}:`, "sshd:x:74:"]);
  file("shadow", [`root:${PASSWORD_HASH}:19000:0:99999:7:::`, "sshd:*:19000:0:99999:7:::"], 0o600);
  file("nsswitch.conf", ["passwd: files", "group: files", "shadow: files", "hosts: files"]);
  file("hosts", ["127.0.0.1 localhost"]);
  file("pam.d/sshd", [
    "auth required pam_unix.so",
    "account required pam_permit.so",
    "session required pam_permit.so",
  ]);
}

/** OpenSSH shuts out addresses from which logins failed since version 9.8. */
function hasPenalties(): boolean {
  const { stdout, stderr } = spawnSync("sshd", ["-V"], { encoding: "utf8", env: SYSTEM_PATH });
  const [, major, minor] = /OpenSSH_(\d+)\.(\d+)/.exec(`${stdout}${stderr}`) ?? [];
  return Number(major) * 100 + Number(minor) >= 908;
}

const SYSTEM_PATH = { PATH: "/usr/sbin:/usr/local/sbin:/usr/bin" };

/** Limits are the stock ones. */
function writeSshdConfig(root: string, settings: SshdSettings): void {
  const { host, port, passwordMethod, sftp } = settings;
  const isInteractive = passwordMethod === "keyboard-interactive";
  const lines = [
    `Port ${port}`,
    `ListenAddress ${host}`,
    "HostKey /etc/ssh/host_key",
    "PidFile none",
    "LogLevel VERBOSE",
    "UseDNS no",
    "StrictModes no",
    "PermitRootLogin yes",
    // Only PAM asks by keyboard-interactive.
    `UsePAM ${isInteractive ? "yes" : "no"}`,
    `PasswordAuthentication ${isInteractive ? "no" : "yes"}`,
    `KbdInteractiveAuthentication ${isInteractive ? "yes" : "no"}`,
    "MaxSessions 10",
    "MaxStartups 10:30:100",
    // Tests log in with wrong passwords.
    ...(hasPenalties() ? ["PerSourcePenalties no"] : []),
    `Subsystem sftp ${sftp === "internal" ? "internal-sftp" : (SFTP_SERVERS.find(existsSync) ?? "internal-sftp")}`,
    `SetEnv PATH=/${BIN_FOLDER}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  ];
  writeFileSync(join(root, "etc/ssh/sshd_config"), lines.map((line) => `${line}\n`).join(""));
}
