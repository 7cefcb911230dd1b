import { setTimeout as sleep } from "node:timers/promises";
import type { SFTPWrapper } from "ssh2";
import SftpClient from "ssh2-sftp-client";
import type { Connection } from "./connection";
import { SshError } from "./error";
import { BEGIN_TIMEOUT_MS } from "./exec";
import { rejectWhenAborted } from "./reject-when-aborted";

/**
 * Uses SFTP on a connection that is already open: the client's own `connect` would open a second one.
 *
 * @throws {@link SshError} `SFTP_REFUSED` where the host has no SFTP, or where a start-up file of the root
 * shell prints something, which breaks it; `CHANNEL_REFUSED` when the host has no session left for it
 */
export async function withSftp<T>(
  connection: Connection,
  work: (sftp: SftpClient) => Promise<T>,
): Promise<T> {
  const { client, lost, sessions } = connection;
  const settled = new AbortController();
  const { signal } = settled;
  lost.throwIfAborted();
  try {
    const channel = await Promise.race([
      openSftp(connection, signal),
      rejectWhenAborted(lost, signal),
      sleep(BEGIN_TIMEOUT_MS, undefined, { signal }),
    ]);
    if (!channel) throw refused(connection, new Error(`no answer within ${BEGIN_TIMEOUT_MS / 1_000} s`));
    sessions.mostOpen = Math.max(sessions.mostOpen, ++sessions.open);
    // Stays until the end: without a listener an error would end the process.
    const broken = new Promise<never>((_resolve, reject) => {
      channel.on("error", (error: Error) => reject(refused(connection, error)));
    });
    // These callbacks replace the ones that print.
    const sftp = Object.assign(new SftpClient("pulumi-xen-iso", {}), { client, sftp: channel });
    try {
      return await Promise.race([work(sftp), broken, rejectWhenAborted(lost, signal)]);
    } finally {
      channel.end();
      sessions.open--;
    }
  } finally {
    settled.abort();
  }
}

function openSftp(connection: Connection, settled: AbortSignal): Promise<SFTPWrapper> {
  return new Promise((resolve, reject) => {
    try {
      connection.client.sftp((error, sftp) => {
        // Nobody waits for it any more.
        if (settled.aborted) return error ? undefined : sftp.end();
        return error ? reject(refused(connection, error)) : resolve(sftp);
      });
    } catch {
      // ssh2 throws on a socket that is broken, a little before it tells that it is.
    }
  });
}

function refused({ address }: Connection, cause: Error): SshError {
  const code = "reason" in cause ? "CHANNEL_REFUSED" : "SFTP_REFUSED";
  const message = `${address} refused SFTP: ${cause.message}. Check that root's .bashrc neither prints nor reads anything.`;
  return new SshError(code, address, message, { cause });
}
