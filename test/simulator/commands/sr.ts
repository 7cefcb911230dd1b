import { randomUUID } from "node:crypto";
import type { Arguments } from "../xapi/arguments";
import { CliFailure, Ref, XapiError } from "../xapi/errors";
import type { PbdRecord, SrRecord } from "../xapi/records";
import type { Xapi } from "../xapi/xapi";
import { type Command, command, type CommandContext } from "./command";

export const srCommands: Readonly<Record<string, Command>> = {
  "sr-create": command(["name-label", "type"], async (context) => {
    const { xapi, fault } = context;
    const { sr, pbd } = await createSr(context);
    if (fault?.kind === "vdiLate") xapi.storage.hideDiscs(sr.uuid, { scans: 0, ms: 0, ...fault });
    // It waits for the plug, and does not say that it failed.
    if (fault?.kind !== "plugFails") await plug(xapi, pbd).catch(() => undefined);
    return { text: sr.uuid };
  }),

  "sr-scan": command(["uuid"], async ({ xapi, args }) => {
    await xapi.storage.scan(xapi.sr(args.need("uuid")));
    return undefined;
  }),

  "sr-forget": command(["uuid"], ({ xapi, args }) => {
    const sr = xapi.sr(args.need("uuid"));
    assertUnplugged(xapi, sr);
    xapi.forgetSr(sr.uuid);
    xapi.background.afterForget();
    return undefined;
  }),

  "sr-destroy": command(["uuid"], ({ xapi, args }) => {
    const sr = xapi.sr(args.need("uuid"));
    assertUnplugged(xapi, sr);
    if (xapi.vdisOf(sr.uuid).length > 0) throw new XapiError("SR_NOT_EMPTY");
    xapi.forgetSr(sr.uuid);
    return undefined;
  }),
};

/** Attaches a PBD's host to its SR; nothing to do when it is. */
export async function plug(xapi: Xapi, pbd: PbdRecord): Promise<void> {
  assertReachable(xapi, pbd.hostUuid);
  if (pbd.currentlyAttached) return;
  await xapi.storage.attach(pbd);
  xapi.background.afterPlug(pbd);
}

/** The coordinator hands on what concerns a member; it has to answer. */
export function assertReachable(xapi: Xapi, hostUuid: string): void {
  if (xapi.toolstack(hostUuid).state !== "up") throw new XapiError("CANNOT_CONTACT_HOST", new Ref(hostUuid));
}

/** Records the SR and its PBD; takes both back when the driver refuses the folder. */
async function createSr({ xapi, args, fault }: CommandContext): Promise<{ sr: SrRecord; pbd: PbdRecord }> {
  const hostUuid = hostUuidFor(xapi, args);
  assertReachable(xapi, hostUuid);
  const type = args.need("type");
  if (type !== "iso") throw new XapiError("SR_UNKNOWN_DRIVER", type);
  const sr = newSr(args, type);
  const pbd = newPbd(sr, hostUuid, args.map("device-config"));
  if (fault?.kind === "crash") return crash(xapi, fault, sr, pbd);
  xapi.srs.push(sr);
  xapi.pbds.push(pbd);
  try {
    await xapi.storage.create(pbd);
  } catch (error) {
    xapi.forgetSr(sr.uuid);
    throw error;
  }
  return { sr, pbd };
}

/** A SR that is not shared is made on one host, and in a pool of several xapi does not guess which. */
function hostUuidFor(xapi: Xapi, args: Arguments): string {
  const given = args.get("host-uuid");
  if (given !== undefined) return xapi.host(given).uuid;
  if (xapi.hosts.length > 1 && args.get("shared") !== "true") {
    throw new CliFailure("Required parameter not found: host-uuid");
  }
  return xapi.pool.coordinatorUuid;
}

function newSr(args: Arguments, type: string): SrRecord {
  return {
    uuid: randomUUID(),
    nameLabel: args.need("name-label"),
    nameDescription: args.get("name-description") ?? "",
    type,
    contentType: args.get("content-type") ?? "",
    shared: args.get("shared") === "true",
    otherConfig: {},
    smConfig: args.map("sm-config"),
    tags: [],
  };
}

function newPbd(sr: SrRecord, hostUuid: string, deviceConfig: Record<string, string>): PbdRecord {
  return {
    uuid: randomUUID(),
    hostUuid,
    srUuid: sr.uuid,
    deviceConfig,
    currentlyAttached: false,
    otherConfig: {},
  };
}

function crash(
  xapi: Xapi,
  { leaves, downMs }: { leaves: "nothing" | "srWithoutPbd" | "unpluggedSr"; downMs: number },
  sr: SrRecord,
  pbd: PbdRecord,
): Promise<never> {
  if (leaves !== "nothing") xapi.srs.push(sr);
  if (leaves === "unpluggedSr") xapi.pbds.push(pbd);
  void xapi.restartToolstack(pbd.hostUuid, { downMs });
  return new Promise<never>(() => undefined);
}

function assertUnplugged(xapi: Xapi, sr: SrRecord): void {
  if (xapi.pbdsOf(sr.uuid).some((pbd) => pbd.currentlyAttached)) {
    throw new XapiError("SR_HAS_PBD", new Ref(sr.uuid));
  }
}
