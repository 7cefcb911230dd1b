/** A way to a host, in a process of its own: tells its parent the port, and then, when asked, the bytes it has sent. */
import { Proxy } from "../simulator/proxy";
import type { LinkAnswer, LinkOrder } from "./link";

let proxy: Proxy;

process.on("disconnect", () => process.exit());
process.on("message", (order: LinkOrder) => {
  void obey(order).then((answer) => process.send?.(answer));
});

async function obey(order: LinkOrder): Promise<LinkAnswer> {
  if (order !== "bytes") {
    proxy = await Proxy.start(order.target, { delayMs: order.delayMs });
    return proxy.port;
  }
  return proxy.connections.reduce((sum, { bytesFromClient }) => sum + bytesFromClient, 0);
}
