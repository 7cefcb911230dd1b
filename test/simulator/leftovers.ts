import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SimulatedHost } from "./host";
import type { PbdRecord, SrRecord, VdiRecord } from "./xapi/records";
import type { Xapi } from "./xapi/xapi";

/** What a pool holds that a test may have made. */
export interface Leftovers {
  readonly srs: readonly SrRecord[];
  readonly pbds: readonly PbdRecord[];
  readonly vdis: readonly VdiRecord[];
  /** `<host name>:<absolute path>` of every folder and file under the mount paths. */
  readonly paths: readonly string[];
}

/** Where the package puts its folders. */
const MOUNT_PATHS = ["/var/opt/xen-iso", "/var/run/sr-mount"];

/** Reads it off; a pool on which nothing was left has four empty lists. */
export async function leftoversOf(
  { srs, pbds, vdis }: Xapi,
  hosts: readonly SimulatedHost[],
  mountPaths: readonly string[] = MOUNT_PATHS,
): Promise<Leftovers> {
  const paths = hosts.flatMap((host) => mountPaths.map((path) => listBelow(host, path)));
  return { srs: [...srs], pbds: [...pbds], vdis: [...vdis], paths: (await Promise.all(paths)).flat() };
}

async function listBelow(host: SimulatedHost, mountPath: string): Promise<string[]> {
  const names = await readdir(host.path(mountPath), { recursive: true }).catch(() => []);
  return names.sort().map((name) => `${host.name}:${join(mountPath, name)}`);
}
