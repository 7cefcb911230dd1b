import { createInterface } from "node:readline";
import { connect } from "node:net";
import { sh } from "../../provider/ssh/sh";
import type { SshTarget } from "../../provider/ssh/target";
import type { Site } from "./site";

/** What a report says of a host. */
export interface HostFacts {
  /** Name and version of the product. */
  readonly product: string;
  /** Software of the SSH server: `OpenSSH_7.4`. */
  readonly sshServer: string;
  /** What the host calls itself; never printed unless asked for. */
  readonly hostName: string;
}

const BANNER_TIMEOUT_MS = 5_000;

/** Asks the host. */
export async function readHostFacts(site: Site): Promise<HostFacts> {
  const [hostName = "", ...inventory] = (
    await site.run(sh`uname -n
cat /etc/xensource-inventory`)
  ).split("\n");
  const value = (key: string) =>
    inventory.find((line) => line.startsWith(`${key}=`))?.replace(/^[^=]*='?(.*?)'?$/, "$1") ?? "unknown";
  return {
    product: `${value("PRODUCT_BRAND")} ${value("PRODUCT_VERSION")}`,
    sshServer: await readBanner(site.start.host.target).catch(() => "unknown"),
    hostName,
  };
}

/** The first thing that an SSH server says (RFC 4253 §4.2): `SSH-2.0-OpenSSH_7.4`. */
async function readBanner({ host, port }: SshTarget): Promise<string> {
  const socket = connect({ host, port });
  socket.setTimeout(BANNER_TIMEOUT_MS, () => socket.destroy(new Error("There is no banner.")));
  try {
    for await (const line of createInterface({ input: socket }))
      if (line.startsWith("SSH-")) return line.replace(/^SSH-[\d.]+-/, "");
    return "unknown";
  } finally {
    socket.destroy();
  }
}
