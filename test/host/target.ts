import type { SshTarget } from "../../provider/ssh/target";
import type { SimulatedHost } from "../simulator";

/** The way to a host with nothing but its key known. */
export function targetOf({ connection }: SimulatedHost, credentials: Partial<SshTarget>): SshTarget {
  const { host, port, user, hostKey } = connection;
  return { host, port, user, hostKey, dialErrorLimit: 3, perDialTimeout: 5, ...credentials };
}
