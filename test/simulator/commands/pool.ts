import { XapiError } from "../xapi/errors";
import { type Command, command } from "./command";

/** 10 s on a real host. */
const RESTART_DELAY_MS = 50;

export const poolCommands: Readonly<Record<string, Command>> = {
  // Run on a member whose coordinator is gone; its xapi restarts a little later.
  "pool-emergency-transition-to-master": command([], ({ xapi, host }) => {
    if (xapi.pool.haEnabled) throw new XapiError("HA_IS_ENABLED");
    setTimeout(() => void xapi.makeCoordinator(host.uuid), RESTART_DELAY_MS);
    return { text: "Host agent will restart and transition to master in 10 seconds..." };
  }),
};
