/**
 * A port, step by step, of how neonKUBE's `CreateTempIso` puts an ISO on a host: the image by SFTP, as
 * `ssh2-sftp-client` does by itself, each command by a connection of its own.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Client, type ClientChannel } from "ssh2";
import SftpClient from "ssh2-sftp-client";
import type { HostConnection } from "../simulator";

/** What it has made. */
export interface ReferenceDisc {
  readonly srUuid: string;
  readonly vdiUuid: string;
  /** Absolute folder on the host. */
  readonly folder: string;
}

const MOUNT_PATH = "/var/opt/sr-mount";

export async function createByReference(connection: HostConnection, isoPath: string): Promise<ReferenceDisc> {
  const uuid = randomUUID();
  const folder = `${MOUNT_PATH}/${uuid}`;
  const isoName = `neon-dvd-${uuid}.iso`;
  await run(connection, `mkdir -p ${folder} && chmod 751 ${folder}`);
  await put(connection, isoPath, `${folder}/${isoName}`);
  const hostUuid = await run(
    connection,
    `sed -n "s/^INSTALLATION_UUID='\\(.*\\)'/\\1/p" /etc/xensource-inventory`,
  );
  const device = `device-config:location=${folder} device-config:legacy_mode=true`;
  const srUuid = await run(
    connection,
    `xe sr-create name-label=${isoName} type=iso content-type=iso ${device} host-uuid=${hostUuid}`,
  );
  await run(connection, `xe sr-scan uuid=${srUuid}`);
  await run(connection, `xe pbd-list sr-uuid=${srUuid} --minimal`);
  const vdiUuid = await run(connection, `xe vdi-list sr-uuid=${srUuid} name-label=${isoName} --minimal`);
  return { srUuid, vdiUuid, folder };
}

async function put(connection: HostConnection, isoPath: string, remotePath: string): Promise<void> {
  const sftp = new SftpClient();
  await sftp.connect(loginOf(connection));
  await sftp.put(isoPath, remotePath);
  await sftp.end();
}

async function run(connection: HostConnection, command: string): Promise<string> {
  const client = new Client();
  client.connect(loginOf(connection));
  await once(client, "ready");
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec(command, (error, opened) => (error ? reject(error) : resolve(opened)));
  });
  let output = "";
  channel.on("data", (chunk: Buffer) => (output += chunk.toString()));
  channel.stderr.resume();
  const [status] = (await once(channel, "close")) as [number];
  client.end();
  await once(client, "close");
  if (status !== 0) throw new Error(`${command} ended with ${status}.`);
  return output.trim();
}

function loginOf({ host, port, user: username, privateKey }: HostConnection) {
  return { host, port, username, privateKey };
}
