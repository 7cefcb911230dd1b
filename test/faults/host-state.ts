import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { FILE } from "../../provider/host/folder";
import type { TempIsoState } from "../../provider/lifecycle/temp-iso";
import type { Leftovers, SimulatedHost, SimulatedPool } from "../simulator";
import { SR_MOUNT_PATH } from "./site";

/** Somebody else's folder with the same content. */
const TWIN = `${SR_MOUNT_PATH}/0f6c0a3e-6f0e-4c57-9d3c-2b1f4d5a7e90`;

/** Puts it there, as it is under a live disc. */
export function putTwin(host: SimulatedHost, isoPath: string): void {
  const image = readFileSync(isoPath);
  const sha256 = createHash("sha256").update(image).digest("hex");
  mkdirSync(host.path(TWIN), { recursive: true });
  writeFileSync(host.path(`${TWIN}/twin.iso`), image);
  writeFileSync(host.path(`${TWIN}/${FILE.image}`), `${sha256}\n${image.length}\ntwin.iso\n`);
}

/** What a host has of discs, without somebody else's folder. */
async function leftoversOf(pool: SimulatedPool): Promise<Leftovers> {
  const leftovers = await pool.leftovers();
  return { ...leftovers, paths: leftovers.paths.filter((path) => !path.includes(TWIN)) };
}

/** The same, a readable line each. */
export async function whatIsThere(pool: SimulatedPool): Promise<string[]> {
  const { srs, pbds, vdis, paths } = await leftoversOf(pool);
  return [
    ...srs.map(({ uuid, nameDescription }) => `SR ${uuid} (${nameDescription})`),
    ...pbds.map(({ uuid, srUuid }) => `PBD ${uuid} of SR ${srUuid}`),
    ...vdis.map(({ uuid, srUuid }) => `VDI ${uuid} of SR ${srUuid}`),
    ...paths,
  ];
}

/** How the host differs from having exactly this one disc, complete. */
export async function differencesFrom(pool: SimulatedPool, disc: TempIsoState): Promise<string[]> {
  const { srs, pbds, vdis, paths } = await leftoversOf(pool);
  const { srUuid, pbdUuid, vdiUuid, srPath, isoName } = disc;
  const expected: [what: string, actual: readonly unknown[], wanted: readonly unknown[]][] = [
    ["status", [disc.status], ["ready"]],
    ["SRs", srs.map(({ uuid }) => uuid), [srUuid]],
    ["PBDs", pbds.map(({ uuid }) => uuid), [pbdUuid]],
    ["plugged", pbds.map(({ currentlyAttached }) => currentlyAttached), [true]],
    ["VDIs", vdis.map(({ uuid }) => uuid), [vdiUuid]],
    [
      "paths",
      paths.map(pathOf),
      [srPath, ...[FILE.image, isoName].sort().map((name) => `${srPath}/${name}`)],
    ],
  ];
  return expected
    .filter(([, actual, wanted]) => String(actual) !== String(wanted))
    .map(
      ([what, actual, wanted]) => `${what}: ${actual.join(", ") || "none"} instead of ${wanted.join(", ")}`,
    );
}

/** What the host lacks of a disc; other discs do not count. */
export function missingFrom(pool: SimulatedPool, host: SimulatedHost, disc: TempIsoState): string[] {
  const { srs, pbds, vdis } = pool.xapi;
  const { srUuid, pbdUuid, vdiUuid, srPath, isoName } = disc;
  const has = (records: readonly { uuid: string }[], wanted?: string) =>
    records.some(({ uuid }) => uuid === wanted);
  return [
    ...(has(srs, srUuid) ? [] : [`SR ${srUuid}`]),
    ...(has(pbds, pbdUuid) ? [] : [`PBD ${pbdUuid}`]),
    ...(has(vdis, vdiUuid) ? [] : [`VDI ${vdiUuid}`]),
    ...[isoName, FILE.image]
      .map((name) => `${srPath}/${name}`)
      .filter((path) => !existsSync(host.path(path))),
  ].map((what) => `${disc.owner}: ${what} is gone`);
}

/** What is on the host and not part of one of these discs, complete or not. */
export async function notPartOf(pool: SimulatedPool, discs: readonly TempIsoState[]): Promise<string[]> {
  const { srs, paths } = await leftoversOf(pool);
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

/** Waits until the commands on the host have ended; returns those that still run, a line each. */
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

/** Every process of the host except its first one and those of sshd, which live as long as their login. */
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
