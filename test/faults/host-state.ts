import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { SimulatedHost, SimulatedPool } from "../simulator";
import { SR_MOUNT_PATH } from "./site";

/** What a host has of discs, each as a line to read. */
export async function whatIsThere(pool: SimulatedPool): Promise<string[]> {
  const { srs, pbds, vdis, paths } = await pool.leftovers();
  return [
    ...srs.map(({ uuid, nameDescription }) => `SR ${uuid} (${nameDescription})`),
    ...pbds.map(({ uuid, srUuid }) => `PBD ${uuid} of SR ${srUuid}`),
    ...vdis.map(({ uuid, srUuid }) => `VDI ${uuid} of SR ${srUuid}`),
    ...paths,
  ];
}

/** In what the host differs from exactly this one disc, complete. */
export async function differencesFrom(pool: SimulatedPool, disc: TempIsoState): Promise<string[]> {
  const { srs, pbds, vdis, paths } = await pool.leftovers();
  const { srUuid, pbdUuid, vdiUuid, srPath, isoName } = disc;
  const expected: [what: string, actual: readonly unknown[], wanted: readonly unknown[]][] = [
    ["status", [disc.status], ["ready"]],
    ["SRs", srs.map(({ uuid }) => uuid), [srUuid]],
    ["PBDs", pbds.map(({ uuid }) => uuid), [pbdUuid]],
    ["plugged", pbds.map(({ currentlyAttached }) => currentlyAttached), [true]],
    ["VDIs", vdis.map(({ uuid }) => uuid), [vdiUuid]],
    ["paths", paths.map(pathOf), [srPath, `${srPath}/${isoName}`]],
  ];
  return expected
    .filter(([, actual, wanted]) => String(actual) !== String(wanted))
    .map(
      ([what, actual, wanted]) => `${what}: ${actual.join(", ") || "none"} instead of ${wanted.join(", ")}`,
    );
}

/** What is on the host and not part of one of these discs, complete or not. */
export async function notPartOf(pool: SimulatedPool, discs: readonly TempIsoState[]): Promise<string[]> {
  const { srs, paths } = await pool.leftovers();
  const isOurs = (srUuid: string, description: string) =>
    discs.some(
      (disc) =>
        disc.srUuid === srUuid ||
        description.includes(disc.srPath.slice(disc.srPath.lastIndexOf("/") + 1)) ||
        pool.xapi.pbdsOf(srUuid).some(({ deviceConfig }) => deviceConfig["location"] === disc.srPath),
    );
  return [
    ...srs
      .filter(({ uuid, nameDescription }) => !isOurs(uuid, nameDescription))
      .map(({ uuid }) => `SR ${uuid}`),
    ...paths.filter((path) => !discs.some(({ srPath }) => `${pathOf(path)}/`.startsWith(`${srPath}/`))),
  ];
}

/** Waits until the commands that were started on the host have ended; what still runs then, as lines. */
export async function processesLeft(host: SimulatedHost, waitMs: number): Promise<string[]> {
  const until = Date.now() + waitMs;
  for (;;) {
    const left = commandsOf(host);
    if (left.length === 0 || Date.now() > until) return left;
    await sleep(50);
  }
}

/** Whether somebody holds the lock under which folders are made. */
export function isLocked(host: SimulatedHost): boolean {
  const folder = host.path(SR_MOUNT_PATH);
  return existsSync(folder) && spawnSync("flock", ["--nonblock", folder, "true"]).status !== 0;
}

/** Every process of the host but its first one and sshd's, which lives as long as a login does. */
function commandsOf(host: SimulatedHost): string[] {
  const proc = host.path("/proc");
  const read = (pid: string, file: string) => {
    try {
      return readFileSync(`${proc}/${pid}/${file}`, "latin1").replaceAll("\0", " ").trim();
    } catch {
      return "";
    }
  };
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name) && name !== "1")
    .filter((pid) => !/^(sshd.*|)$/.test(read(pid, "comm")))
    .map((pid) => read(pid, "cmdline"))
    .filter((command) => command !== "")
    .map((command) => `process ${command.slice(0, 120)}`);
}

/** Without the host's name. */
const pathOf = (path: string) => path.slice(path.indexOf(":") + 1);
