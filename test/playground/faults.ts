import type { ProxyFaults, SimulatedPool } from "../simulator";

/** Something that can go wrong on a host, or on the way to it. */
export interface PlaygroundFault {
  /** One line, for `--help`. */
  readonly text: string;
  /** What it does to the pool, once. */
  readonly toPool?: (pool: SimulatedPool) => void;
  /** What it does to the link. */
  readonly toLink?: Partial<ProxyFaults>;
}

const MIB = 1024 ** 2;

/** By the names that `--fault` takes. */
export const FAULTS: Readonly<Record<string, PlaygroundFault>> = {
  "sr-create-fails": {
    text: "the next sr-create fails",
    toPool: ({ xapi }) =>
      xapi.faults.push({
        command: "sr-create",
        effect: { kind: "fail", code: "SR_BACKEND_FAILURE_226", params: ["", "Invalid local path", ""] },
      }),
  },
  "reply-lost": {
    text: "the reply to the next sr-create is lost after it was done",
    toPool: ({ xapi }) => xapi.faults.push({ command: "sr-create", effect: { kind: "loseReply" } }),
  },
  "plug-fails": {
    text: "the next sr-create leaves its PBD unplugged",
    toPool: ({ xapi }) => xapi.faults.push({ command: "sr-create", effect: { kind: "plugFails" } }),
  },
  "vdi-late": {
    text: "the first two scans of the next SR find no disc",
    toPool: ({ xapi }) => xapi.faults.push({ command: "sr-create", effect: { kind: "vdiLate", scans: 2 } }),
  },
  "toolstack-crash": {
    text: "the toolstack dies in the next sr-create and is back after 5 s",
    toPool: ({ xapi }) =>
      xapi.faults.push({
        command: "sr-create",
        effect: { kind: "crash", leaves: "unpluggedSr", downMs: 5_000 },
      }),
  },
  "tray-locked": {
    text: "the guests of the VMs refuse every eject",
    toPool: ({ xapi }) => xapi.vbds.forEach((vbd) => xapi.lockTray(vbd)),
  },
  "disk-full": {
    text: "the hosts' disks have 1 MiB left",
    toPool: ({ hosts }) =>
      hosts.forEach((host) =>
        host.setSpace({ path: "/", totalBytes: 18 * 1024 * MIB, availableBytes: MIB, type: "ext2/ext3" }),
      ),
  },
  "link-drops": { text: "every connection breaks after 1 MiB", toLink: { dropAfterBytes: MIB } },
  "link-refuses": { text: "the first three connections are refused", toLink: { refuseConnections: 3 } },
};
