import { Ref, XapiError } from "../xapi/errors";
import { type Command, command } from "./command";

export const hostCommands: Readonly<Record<string, Command>> = {
  // With its PBDs: what it has plugged of an SR is then nobody's.
  "host-forget": command(["uuid"], ({ xapi, args }) => {
    const { uuid, isLive } = xapi.host(args.need("uuid"));
    if (uuid === xapi.pool.coordinatorUuid) throw new XapiError("HOST_CANNOT_DESTROY_SELF", new Ref(uuid));
    if (isLive) throw new XapiError("HOST_IS_LIVE", new Ref(uuid));
    xapi.forgetHost(uuid);
    return undefined;
  }),
};
