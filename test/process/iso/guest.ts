import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../../engine/engine";

const exec = promisify(execFile);

/** In the order in which they are loaded: what it takes to have a CD drive, and to read ISO 9660. */
const MODULES = ["scsi_common", "scsi_mod", "cdrom", "libata", "ata_piix", "sr_mod", "isofs"];

const FILES = ["vmlinuz", "busybox", ...MODULES.map((module) => `${module}.ko`)];

/** Runs first in the guest; a script follows, and the end of the machine. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in ${MODULES.join(" ")}; do insmod /modules/$module.ko; done
tries=0
while [ ! -b /dev/sr0 ] && [ $((tries += 1)) -lt 600 ]; do usleep 100000; done
`;

/** What a Linux of Debian's is made of: its kernel, the modules above, and busybox. */
export interface GuestSystem {
  readonly folder: string;
}

/**
 * Finds the guest's system in the user's cache folder, where it is made of Debian's packages when it is missing;
 * none is installed for it.
 *
 * @throws when the packages cannot be had: apt-get's own words
 */
export async function guestSystem(): Promise<GuestSystem> {
  const folder = join(cacheFolder(), "pulumi-xen-iso", "guest-1");
  if (await isThere(folder)) return { folder };
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(`${folder}.part-`);
  try {
    const packages = await unpackDebian(made, [await kernelPackage(), "busybox-static"]);
    for (const file of await filesOf(packages)) {
      const wanted = nameInSystem(file);
      if (wanted) await copyFile(file, join(made, wanted));
    }
    await rm(packages, { recursive: true });
    const files = await readdir(made);
    const missing = FILES.filter((name) => !files.includes(name));
    if (missing.length > 0) throw new Error(`The packages have no ${missing.join(", ")}.`);
    // Another process may have been faster.
    await rename(made, folder).catch(async (error: unknown) => {
      if (!(await isThere(folder))) throw error;
    });
    return { folder };
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/**
 * Boots the system with an image in its CD drive, under software emulation, and runs a script in it.
 *
 * @param script of busybox's shell; the drive is `/dev/sr0`
 * @returns what the script printed to the serial console
 */
export async function bootGuest(system: GuestSystem, imagePath: string, script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "xen-iso-guest-"));
  try {
    const initrd = await makeInitrd(system, folder, script);
    const { stdout } = await exec(
      "qemu-system-x86_64",
      [
        ...["-m", "512", "-nographic", "-no-reboot", "-net", "none", "-cdrom", imagePath],
        ...["-kernel", join(system.folder, "vmlinuz"), "-initrd", initrd],
        ...["-append", "console=ttyS0 quiet panic=-1"],
      ],
      // A machine that does not come up must not stay.
      { timeout: 300_000, killSignal: "SIGKILL" },
    );
    return stdout.replaceAll("\r\n", "\n");
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function makeInitrd(system: GuestSystem, folder: string, script: string): Promise<string> {
  const root = join(folder, "root");
  for (const name of ["bin", "proc", "sys", "dev", "modules"])
    await mkdir(join(root, name), { recursive: true });
  const busybox = join(system.folder, "busybox");
  await copyFile(busybox, join(root, "bin", "busybox"));
  for (const module of MODULES)
    await copyFile(join(system.folder, `${module}.ko`), join(root, "modules", `${module}.ko`));
  await writeFile(join(root, "init"), `${INIT}${script}\npoweroff -f\n`);
  await chmod(join(root, "init"), 0o755);
  const initrd = join(folder, "initrd");
  await exec("sh", ["-c", `find . | "$1" cpio -o -H newc >"$2"`, "sh", busybox, initrd], { cwd: root });
  return initrd;
}

/** The package on which `linux-image-amd64` depends: `linux-image-6.1.0-1-amd64`. */
async function kernelPackage(): Promise<string> {
  const { stdout } = await exec("apt-cache", ["depends", "--important", "linux-image-amd64"]);
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (!name) throw new Error(`No kernel among what linux-image-amd64 depends on: ${stdout}`);
  return name;
}

/** @returns a folder in `folder` with what is in the packages */
async function unpackDebian(folder: string, names: readonly string[]): Promise<string> {
  const packages = join(folder, "packages");
  await mkdir(packages);
  await exec("apt-get", ["download", "-q", ...names], { cwd: packages });
  const files = (await readdir(packages)).filter((name) => name.endsWith(".deb"));
  for (const file of files) await exec("dpkg-deb", ["-x", file, "."], { cwd: packages });
  return packages;
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** What a file of the packages is called in the system; undefined if it is of no use there. */
function nameInSystem(file: string): string | undefined {
  const name = basename(file).replace(/^vmlinuz-.*/, "vmlinuz");
  return FILES.includes(name) ? name : undefined;
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
