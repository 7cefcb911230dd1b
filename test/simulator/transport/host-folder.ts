import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Space } from "./host";

/** The folders of the hosts of this process. */
const roots = new Set<string>();

// One listener for all: Node warns of more than ten.
process.once("exit", () => {
  for (const root of roots) remove(root);
});

/** Makes an empty folder for a host's root, which is gone at the latest when this process ends. */
export function newRoot(): { root: string; removeRoot: () => void } {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "xen-host-")));
  roots.add(root);
  const removeRoot = () => {
    remove(root);
    roots.delete(root);
  };
  return { root, removeRoot };
}

/** Tries again while processes that were just killed still write there. */
function remove(root: string): void {
  rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
}

/** What a host's folder is made from. */
export interface HostFolderOptions {
  readonly root: string;
  /** What stands before the host's paths in what its programs are given: the root, or nothing. */
  readonly pathPrefix: string;
  readonly hostUuid: string;
  readonly hostName: string;
  /** Port and token of the toolstack. */
  readonly xapi: { readonly port: number; readonly token: string };
  /** What its disk and its memory are said to hold, whatever this machine has. */
  readonly spaces: readonly Space[];
  /** What root's shell runs first. */
  readonly bashrc: string | undefined;
}

const BIN = join(__dirname, "..", "bin");

/** Folders that a host has at its first start. `/run/sr-mount` is missing where all SRs are LVM. */
const FOLDERS = ["etc", "var/opt", "var/log", "var/tmp", "run", "root", "tmp", "proc/self", "mnt", "srv"];

/** Makes the folder that is a host's root, or what is laid over it. */
export function makeHostFolder(options: HostFolderOptions): void {
  const { root, pathPrefix, spaces, hostUuid, hostName, bashrc } = options;
  for (const folder of [...FOLDERS, BIN_FOLDER]) mkdirSync(join(root, folder), { recursive: true });
  // Relative, so that it leads to the same place from outside of the root.
  symlinkSync("../run", join(root, "var/run"));
  writeFileSync(join(root, "etc/xensource-inventory"), inventory(hostUuid));
  writeFileSync(join(root, "etc/hostname"), `${hostName}\n`);
  writeMemory(root, { totalBytes: 4 * 1024 ** 3, availableBytes: 3 * 1024 ** 3 });
  writeFileSync(
    join(root, "proc/self/mounts"),
    "/dev/sda1 / ext3 rw,relatime 0 0\ntmpfs /run tmpfs rw 0 0\n",
  );
  if (bashrc !== undefined) writeFileSync(join(root, "root/.bashrc"), bashrc);
  writeXe(options);
  addSpaces(root, spaces, pathPrefix);
  copyProgram("stat", root);
  // What a host has of GNU's and macOS has not, as far as it is needed.
  if (process.platform === "darwin") {
    for (const name of readdirSync(join(BIN, "darwin"))) copyProgram(join("darwin", name), root);
  }
}

/** Where a host has `xe` and its kin. */
export const BIN_FOLDER = "opt/xensource/bin";

/** Writes the host's `/proc/meminfo`, as far as it matters. */
export function writeMemory(
  root: string,
  memory: { totalBytes: number; availableBytes: number },
  file = "proc/meminfo",
): void {
  const { totalBytes, availableBytes } = memory;
  const lines = [
    ["MemTotal:", totalBytes],
    ["MemFree:", availableBytes],
    ["MemAvailable:", availableBytes],
  ] as const;
  const text = lines.map(
    ([name, bytes]) => `${name.padEnd(14)} ${String(Math.floor(bytes / 1024)).padStart(10)} kB\n`,
  );
  writeFileSync(join(root, file), text.join(""));
}

/** Puts one of the programs of `test/simulator/bin` onto the host's PATH. */
function copyProgram(path: string, root: string): void {
  const target = join(root, BIN_FOLDER, basename(path));
  copyFileSync(join(BIN, path), target);
  chmodSync(target, 0o755);
}

function writeXe({ root, hostUuid, xapi, pathPrefix }: HostFolderOptions): void {
  const script = readFileSync(join(BIN, "xe"), "utf8")
    .replaceAll("@PORT@", String(xapi.port))
    .replaceAll("@TOKEN@", xapi.token)
    .replaceAll("@HOST@", hostUuid)
    .replaceAll("@ROOT@", pathPrefix);
  writeFileSync(join(root, BIN_FOLDER, "xe"), script, { mode: 0o755 });
}

function inventory(hostUuid: string): string {
  const values = {
    PRIMARY_DISK: "/dev/sda",
    PRODUCT_BRAND: "XCP-ng",
    PRODUCT_VERSION: "8.3.0",
    INSTALLATION_UUID: hostUuid,
    MANAGEMENT_INTERFACE: "xenbr0",
  };
  return Object.entries(values)
    .map(([key, value]) => `${key}='${value}'\n`)
    .join("");
}

/**
 * Adds to the table from which the host's `stat -f` answers; of two lines for one place the later counts.
 *
 * @param prefix what stands before a host's path where `stat` is given one
 */
export function addSpaces(root: string, spaces: readonly Space[], prefix: string): void {
  const lines = spaces.map(({ path, totalBytes, availableBytes, type }) => {
    const place = path === "/" ? prefix || "/" : `${prefix}${path}`;
    return `${place} ${Math.floor(totalBytes / 1024)} ${Math.floor(availableBytes / 1024)} ${type}\n`;
  });
  appendFileSync(join(root, "opt/xensource/space"), lines.join(""));
}

/** What a reboot does to a tmpfs. */
export function emptyRun(root: string): void {
  for (const name of readdirSync(join(root, "run"))) {
    rmSync(join(root, "run", name), { recursive: true, force: true });
  }
}
