import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What this process holds. */
export interface Held {
  readonly residentMib: number;
  readonly heapMib: number;
  readonly openFiles: number;
  readonly connections: number;
}

const MIB = 1024 ** 2;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Counts it, once what nobody needs is thrown away. */
export function whatIsHeld(): Held {
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    residentMib: Math.round(rss / MIB),
    heapMib: Math.round(heapUsed / MIB),
    openFiles: readdirSync("/proc/self/fd").length,
    connections: process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length,
  };
}
