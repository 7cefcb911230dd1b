import { randomUUID } from "node:crypto";
import type { Arguments } from "../xapi/arguments";
import { CliFailure, Ref, XapiError } from "../xapi/errors";
import type { FaultEffect } from "../xapi/faults";
import { runOnHost } from "../xapi/forward";
import { newPbd } from "../xapi/new-pbd";
import type { PbdRecord, SrRecord } from "../xapi/records";
import type { Xapi } from "../xapi/xapi";
import { type Command, command, type CommandContext } from "./command";

export const srCommands: Readonly<Record<string, Command>> = {
  "sr-create": command(["name-label", "type"], (context) => {
    const { xapi, args } = context;
    // A shared SR is made on the coordinator, whatever host is named.
    const hostUuid = isShared(args) ? xapi.pool.coordinatorUuid : hostUuidFor(xapi, args);
    return runOnHost(xapi, hostUuid, () => createSr(context, hostUuid));
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
  await runOnHost(xapi, pbd.hostUuid, async () => {
    if (pbd.currentlyAttached) return;
    await xapi.storage.attach(pbd);
    xapi.background.afterPlug(pbd);
  });
}

/**
 * Records the SR with its PBDs, a shared one with one for each host, makes it on the first of these hosts, and
 * plugs them all at once. Takes its records back when the driver refuses the folder.
 *
 * @see xapi-project/xen-api: ocaml/xapi/xapi_sr.ml create
 */
async function createSr({ xapi, args, fault }: CommandContext, hostUuid: string): Promise<{ text: string }> {
  const type = args.need("type");
  if (type !== "iso") throw new XapiError("SR_UNKNOWN_DRIVER", type);
  const sr = newSr(args, type);
  const others = isShared(args) ? xapi.hosts.map(({ uuid }) => uuid).filter((uuid) => uuid !== hostUuid) : [];
  const [first, ...rest] = [hostUuid, ...others].map((uuid) =>
    newPbd(sr.uuid, uuid, args.map("device-config")),
  );
  const pbds = first ? [first, ...rest] : [];
  if (fault?.kind === "crash") return crash(xapi, fault, sr, pbds);
  xapi.srs.push(sr);
  xapi.pbds.push(...pbds);
  try {
    if (first) await xapi.storage.create(first);
  } catch (error) {
    xapi.forgetSr(sr.uuid);
    throw error;
  }
  if (fault?.kind === "vdiLate") xapi.storage.hideDiscs(sr.uuid, { scans: 0, ms: 0, ...fault });
  // It waits for the plugs, and does not say that one failed.
  const plugged = pbds.filter((pbd) => !failsToPlug(pbd, fault));
  await Promise.all(plugged.map((pbd) => plug(xapi, pbd).catch(() => undefined)));
  return { text: sr.uuid };
}

const failsToPlug = ({ hostUuid }: PbdRecord, fault: FaultEffect | undefined) =>
  fault?.kind === "plugFails" && [undefined, hostUuid].includes(fault.hostUuid);

const isShared = (args: Arguments) => args.get("shared") === "true";

/** An SR that is not shared is made on one host, and in a pool of several xapi does not guess which. */
function hostUuidFor(xapi: Xapi, args: Arguments): string {
  const given = args.get("host-uuid");
  if (given !== undefined) return xapi.host(given).uuid;
  if (xapi.hosts.length > 1) throw new CliFailure("Required parameter not found: host-uuid");
  return xapi.pool.coordinatorUuid;
}

function newSr(args: Arguments, type: string): SrRecord {
  return {
    uuid: randomUUID(),
    nameLabel: args.need("name-label"),
    nameDescription: args.get("name-description") ?? "",
    type,
    contentType: args.get("content-type") ?? "",
    shared: isShared(args),
    otherConfig: {},
    smConfig: args.map("sm-config"),
    tags: [],
  };
}

function crash(
  xapi: Xapi,
  { leaves, downMs }: { leaves: "nothing" | "srWithoutPbd" | "unpluggedSr"; downMs: number },
  sr: SrRecord,
  pbds: readonly PbdRecord[],
): Promise<never> {
  if (leaves !== "nothing") xapi.srs.push(sr);
  if (leaves === "unpluggedSr") xapi.pbds.push(...pbds);
  void xapi.restartToolstack(pbds[0]?.hostUuid ?? xapi.pool.coordinatorUuid, { downMs });
  return new Promise<never>(() => undefined);
}

function assertUnplugged(xapi: Xapi, sr: SrRecord): void {
  if (xapi.pbdsOf(sr.uuid).some((pbd) => pbd.currentlyAttached)) {
    throw new XapiError("SR_HAS_PBD", new Ref(sr.uuid));
  }
}
