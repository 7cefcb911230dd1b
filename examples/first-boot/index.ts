import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { XenIsoAttachment, XenIsoRelease, XenTempIso } from "pulumi-xen-iso";

const config = new pulumi.Config();
const address = config.require("vmAddress");
const port = config.getNumber("vmPort") ?? 22;

// How to reach the host is in the stack's configuration: xen:host, xen:password, xen:hostKey.
const seed = new XenTempIso("web-1-seed", { isoPath: config.require("isoPath"), once: true });

const drive = new XenIsoAttachment("web-1-cd", {
  vmUuid: config.require("vmUuid"),
  vdiUuid: seed.vdiUuid,
  once: true,
});

new XenIsoRelease("web-1-release", {
  srUuid: seed.srUuid,
  // Begins once the disc is in the drive.
  after: drive.vbdUuid.apply(() => answering(address, port)),
});

/** The VM is up when it takes a connection; gives up after a quarter of an hour. */
async function answering(host: string, port: number): Promise<string> {
  if (pulumi.runtime.isDryRun()) return "";
  const giveUpAt = Date.now() + 15 * 60_000;
  while (!(await isAnswering(host, port))) {
    if (Date.now() > giveUpAt) throw new Error(`${host}:${port} takes no connection.`);
    await sleep(2_000);
  }
  return `${host}:${port}`;
}

function isAnswering(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 5_000 });
    const end = (isUp: boolean) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}
