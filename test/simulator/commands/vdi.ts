import { rm } from "node:fs/promises";
import { remove } from "../xapi/database";
import { Ref, XapiError } from "../xapi/errors";
import { type Command, command } from "./command";

export const vdiCommands: Readonly<Record<string, Command>> = {
  // Of an ISO it deletes the file.
  "vdi-destroy": command(["uuid"], async ({ xapi, args }) => {
    const vdi = xapi.vdi(args.need("uuid"));
    if (xapi.vbds.some((vbd) => vbd.vdiUuid === vdi.uuid && vbd.currentlyAttached)) {
      throw new XapiError("VDI_IN_USE", new Ref(vdi.uuid), "destroy");
    }
    await rm(xapi.storage.fileOf(vdi), { force: true });
    remove(xapi.vdis, (each) => each === vdi);
    return undefined;
  }),
};
