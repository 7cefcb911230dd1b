import { valueOf } from "../host/protocol";
import { remote } from "../host/remote";
import { noRoom, parseRoom } from "../host/room";
import { MAX_CHANNELS } from "../ssh/link";
import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { hostList, poolList } from "../xe/commands";
import type { XeRecord } from "../xe/parse";
import { runXe } from "../xe/run";

/** What `doctor` reads from a host that lets it log in. */
export interface HostFacts {
  /** `host:port` */
  readonly address: string;
  readonly user: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  readonly isHostKeyChecked: boolean;
  readonly cipher: string;
  /** Round trip time of a command that does nothing. */
  readonly roundTripMs: number;
  /** How many of the commands that were begun at once did run at once. */
  readonly commandsAtOnce: number;
  /** What the shell's startup files print. */
  readonly noise: string;
  /** Whether stdin reaches the command: a startup file may read it first. */
  readonly isInputWhole: boolean;
  readonly hasXe: boolean;
  /** INSTALLATION_UUID; empty if there is no inventory. */
  readonly hostUuid: string;
  /** Name and version of the product. */
  readonly product: string;
  /** Whether `~/.xe` names a server. */
  readonly isXeSentElsewhere: boolean;
  readonly places: readonly Place[];
  readonly toolstack: Toolstack | { readonly problem: string };
}

/** A mount path, measured at its nearest existing folder. */
export interface Place {
  readonly srMountPath: string;
  /** As `stat -f -c %T` prints it. */
  readonly fileSystem: string;
  /** If it is in memory, at most the memory that dom0 has left. */
  readonly availableBytes: number | undefined;
  /** Why no folder can be created there. */
  readonly obstacle: string | undefined;
  /** Why even the smallest image would be refused. */
  readonly shortage: string | undefined;
}

/** What xapi reports. */
export interface Toolstack {
  readonly hosts: readonly XeRecord[];
  readonly pool: XeRecord | undefined;
}

const QUICK_TIMEOUT_MS = 30_000;

/** Takes the median of this many round trips. */
const ROUND_TRIPS = 5;

/**
 * Reads the host; changes nothing.
 *
 * @throws `SshError`
 */
export async function readHostFacts(
  host: SharedConnection,
  srMountPaths: readonly string[],
): Promise<HostFacts> {
  const { address, target } = host;
  const hostKey = await host.hostKey();
  const cipher = await host.cipher();
  const roundTripMs = await measureRoundTrip(host);
  const commandsAtOnce = await countCommandsAtOnce(host);
  const { stdout, noise } = await host.exec(remote(sh`host_facts`), {
    purpose: "look at the host",
    timeoutMs: QUICK_TIMEOUT_MS,
  });
  const value = (key: string) => valueOf(stdout, key);
  return {
    address,
    user: target.user,
    hostKey,
    isHostKeyChecked: target.hostKey !== "ignore",
    cipher,
    roundTripMs,
    commandsAtOnce,
    noise,
    isInputWhole: await isInputWhole(host),
    hasXe: value("xe") !== undefined,
    hostUuid: value("INSTALLATION_UUID") ?? "",
    product: [value("PRODUCT_BRAND"), value("PRODUCT_VERSION")].filter(Boolean).join(" "),
    isXeSentElsewhere: value("xe-server") !== undefined,
    places: await Promise.all(srMountPaths.map((path) => lookAtPlace(host, path))),
    toolstack:
      value("xe") === undefined ? { problem: "There is no xe to ask it with." } : await askToolstack(host),
  };
}

async function measureRoundTrip(host: SharedConnection): Promise<number> {
  const times: number[] = [];
  for (let trip = 0; trip < ROUND_TRIPS; trip++) {
    const startedAt = performance.now();
    await host.exec(sh`:`, { purpose: "measure the round trip", timeoutMs: QUICK_TIMEOUT_MS });
    times.push(performance.now() - startedAt);
  }
  return times.sort((one, other) => one - other)[Math.floor(ROUND_TRIPS / 2)] ?? 0;
}

/** Begins as many commands as a run does. Once the first one has ended, no further one begins. */
async function countCommandsAtOnce(host: SharedConnection): Promise<number> {
  const ended = new AbortController();
  const options = { purpose: "count sessions", timeoutMs: QUICK_TIMEOUT_MS, signal: ended.signal };
  const commands = Array.from({ length: MAX_CHANNELS }, () =>
    host.exec(sh`sleep 1`, options).then(() => ended.abort()),
  );
  await Promise.allSettled(commands);
  return host.mostCommandsAtOnce();
}

async function isInputWhole(host: SharedConnection): Promise<boolean> {
  const sent = "first line\nsecond line\n";
  async function* input() {
    yield await Promise.resolve(Buffer.from(sent));
  }
  const options = { purpose: "send input", timeoutMs: QUICK_TIMEOUT_MS, input };
  return (await host.exec(sh`cat`, options)).stdout === sent;
}

async function lookAtPlace(host: SharedConnection, srMountPath: string): Promise<Place> {
  const options = { purpose: "measure the room", timeoutMs: QUICK_TIMEOUT_MS };
  const { stdout } = await host.exec(remote(sh`look_at_mount_path ${srMountPath}`), options);
  const { type, availableBytes } = parseRoom(stdout);
  const isShort = valueOf(stdout, "shortage") !== undefined;
  return {
    srMountPath,
    fileSystem: type,
    availableBytes,
    obstacle: valueOf(stdout, "obstacle"),
    shortage: isShort ? noRoom(stdout, { sizeBytes: 1, srMountPath }, host.address).message : undefined,
  };
}

async function askToolstack(host: SharedConnection): Promise<HostFacts["toolstack"]> {
  try {
    const hosts = await runXe(host, hostList({}), QUICK_TIMEOUT_MS);
    const [pool] = await runXe(host, poolList(), QUICK_TIMEOUT_MS);
    return { hosts, pool };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
