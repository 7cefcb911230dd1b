import { randomUUID } from "node:crypto";
import type { PbdRecord } from "./records";

/** The connection of a host to an SR; not recorded yet, not plugged. */
export function newPbd(
  srUuid: string,
  hostUuid: string,
  deviceConfig: Readonly<Record<string, string>>,
): PbdRecord {
  return {
    uuid: randomUUID(),
    hostUuid,
    srUuid,
    deviceConfig: { ...deviceConfig },
    currentlyAttached: false,
    otherConfig: {},
  };
}
