import { Ref, XapiError } from "../xapi/errors";
import { runOnHost } from "../xapi/forward";
import type { PbdRecord } from "../xapi/records";
import type { Xapi } from "../xapi/xapi";
import { type Command, command } from "./command";
import { plug } from "./sr";

export const pbdCommands: Readonly<Record<string, Command>> = {
  "pbd-plug": command(["uuid"], async ({ xapi, args }) => {
    await plug(xapi, xapi.pbd(args.need("uuid")));
    return undefined;
  }),

  "pbd-unplug": command(["uuid"], async ({ xapi, args }) => {
    const pbd = xapi.pbd(args.need("uuid"));
    await runOnHost(xapi, pbd.hostUuid, async () => {
      if (!pbd.currentlyAttached) return;
      const used = vdisInUse(xapi, pbd);
      if (used.length > 0) throw new XapiError("VDI_IN_USE", ...used.map((uuid) => new Ref(uuid)));
      await xapi.storage.detach(pbd);
    });
    return undefined;
  }),

  "pbd-destroy": command(["uuid"], ({ xapi, args }) => {
    const pbd = xapi.pbd(args.need("uuid"));
    if (pbd.currentlyAttached) throw new XapiError("OPERATION_NOT_ALLOWED", "PBD is currently attached");
    xapi.pbds.splice(xapi.pbds.indexOf(pbd), 1);
    return undefined;
  }),
};

/** The SR's discs in drives of VMs that run on the PBD's host; a halted VM's and a snapshot's do not count. */
function vdisInUse(xapi: Xapi, { hostUuid, srUuid }: PbdRecord): string[] {
  const resident = xapi.vms.filter((vm) => vm.residentOn === hostUuid).map((vm) => vm.uuid);
  const inSr = xapi.vdisOf(srUuid).map((vdi) => vdi.uuid);
  return xapi.vbds
    .filter((vbd) => resident.includes(vbd.vmUuid) && vbd.currentlyAttached && !vbd.empty)
    .map((vbd) => vbd.vdiUuid)
    .filter((uuid) => uuid !== undefined && inSr.includes(uuid))
    .filter((uuid) => uuid !== undefined);
}
