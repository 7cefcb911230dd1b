import type { SFTPWrapper } from "ssh2";
import SftpClient from "ssh2-sftp-client";
import type { Connection } from "./connection";
import { SshError } from "./error";

/**
 * Uses SFTP on a connection that is already open: the client's own `connect` would open a second one.
 *
 * @throws {@link SshError} `SFTP_REFUSED` where the host has no SFTP, or where a start-up file of the root
 * shell prints something, which breaks it
 */
export async function withSftp<T>(
  connection: Connection,
  work: (sftp: SftpClient) => Promise<T>,
): Promise<T> {
  const channel = await openSftp(connection);
  // These callbacks replace the ones that print.
  const sftp = Object.assign(new SftpClient("pulumi-xen-iso", {}), {
    client: connection.client,
    sftp: channel,
  });
  try {
    return await work(sftp);
  } finally {
    channel.end();
  }
}

function openSftp(connection: Connection): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    connection.client.sftp((error, sftp) => {
      if (!error) return resolve(sftp);
      const message = `${connection.address} refused SFTP: ${error.message}. Check that root's .bashrc neither prints nor reads anything.`;
      return reject(new SshError("SFTP_REFUSED", connection.address, message, { cause: error }));
    });
  });
}
