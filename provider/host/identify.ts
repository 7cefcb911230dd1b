import type { ExecResult } from "../ssh/exec";
import { SshError } from "../ssh/error";
import { retry } from "../ssh/retry";
import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { HostError, QUICK_TIMEOUT_MS } from "./error";
import { EXIT, valueOf } from "./protocol";
import { remote } from "./remote";

const isLinkLost = (error: unknown) => error instanceof SshError && error.code === "CONNECTION_LOST";

const AGAIN = { firstPauseMs: 250, growth: 2, longestPauseMs: 2_000, attempts: 3 };

/**
 * Reads the host's INSTALLATION_UUID, which `host-uuid=` takes. It does not depend on the host's role in the
 * pool.
 *
 * @throws {@link HostError} `NOT_A_XENSERVER`
 */
export async function identify(host: SharedConnection): Promise<string> {
  const options = { purpose: "identify the host", timeoutMs: QUICK_TIMEOUT_MS };
  // This is often the first command on a shared connection that has broken since it was last used.
  const result = await retry(
    { ...AGAIN, waitingFor: `a connection to ${host.address}`, isPassing: isLinkLost },
    () => host.exec(remote(sh`identify`), options),
  );
  return hostUuidOf(host, result);
}

/**
 * Reads what `identify` printed.
 *
 * @throws {@link HostError} `NOT_A_XENSERVER`
 */
export function hostUuidOf(host: Pick<SharedConnection, "address">, { status, stdout }: ExecResult): string {
  const uuid = valueOf(stdout, "host-uuid");
  if (status !== EXIT.notXenServer && uuid) return uuid;
  const message =
    `${host.address} is not a XenServer or XCP-ng host: it has no \`xe\` or no /etc/xensource-inventory. ` +
    `Check connection.host: it must name the host itself (dom0), not a VM on it.`;
  throw new HostError("NOT_A_XENSERVER", host.address, message);
}
