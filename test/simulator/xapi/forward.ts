import { Ref, XapiError } from "./errors";
import type { Xapi } from "./xapi";

/**
 * Runs on a host what concerns that host: the coordinator hands it to the member, and waits. If the link between
 * them breaks, or the member's xapi ends, the member goes on and the coordinator answers CANNOT_CONTACT_HOST.
 *
 * @throws XapiError
 * @see xapi-project/xen-api: ocaml/xapi/message_forwarding.ml do_op_on_common
 */
export async function runOnHost<T>(xapi: Xapi, hostUuid: string, work: () => Promise<T>): Promise<T> {
  const toolstack = xapi.toolstack(hostUuid);
  const isCoordinator = hostUuid === xapi.pool.coordinatorUuid;
  if (!isCoordinator && !xapi.host(hostUuid).isLive) throw new XapiError("HOST_OFFLINE", new Ref(hostUuid));
  if (toolstack.state !== "up") throw cannotContact(hostUuid);
  if (isCoordinator) return work();
  const lost = Promise.race([toolstack.stopped, toolstack.linkBroken]).then(() => {
    throw cannotContact(hostUuid);
  });
  const running = work();
  running.catch(() => undefined);
  return Promise.race([running, lost]);
}

const cannotContact = (hostUuid: string) => new XapiError("CANNOT_CONTACT_HOST", new Ref(hostUuid));
