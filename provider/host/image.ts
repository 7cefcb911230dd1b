import { type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { uploadFile, uploadFileBySftp } from "../ssh/upload";
import { HostError } from "./error";
import { failed, FILE, type Folder, pathOf } from "./folder";

/** A local image on its way to a host. */
export interface LocalImage {
  /** Path of a plain file on this machine. */
  readonly localPath: string;
  /** What check found in it: lower-case hex. */
  readonly sha256: string;
  /** File name on the host. */
  readonly isoName: string;
  /** Ends the upload when it is aborted. */
  readonly signal: AbortSignal;
}

/** A slow disk takes minutes for some GiB. */
const SYNC_TIMEOUT_MS = 10 * 60_000;

const RENAME_TIMEOUT_MS = 60_000;

/**
 * Streams the image into the folder, under another name until it is known to be whole: a killed client looks
 * like the end of the file over there, and the local file may have changed since it was hashed.
 *
 * @throws {@link HostError} `UPLOAD_INCOMPLETE`, `IMAGE_CHANGED`, `FOLDER_FAILED`
 */
export async function uploadImage(host: SharedConnection, folder: Folder, image: LocalImage): Promise<void> {
  const path = pathOf(folder);
  const { sent, arrivedBytes, result } = await send(host, path, image);
  if (result.status !== 0 || arrivedBytes !== sent.sizeBytes) {
    const message =
      `The image did not arrive whole on ${host.address}: ${arrivedBytes} of ${sent.sizeBytes} bytes. ` +
      `Check the space in ${folder.srMountPath}, and that root's .bashrc does not read standard input, then run the command again.`;
    throw failed(host, "UPLOAD_INCOMPLETE", message, result);
  }
  if (sent.sha256 !== image.sha256) {
    const message = `${image.localPath} changed while the program ran. Run the command again once nothing writes to it.`;
    throw new HostError("IMAGE_CHANGED", host.address, message);
  }
  const rename = sh`mv -T -- ${path}/${FILE.upload} ${path}/${image.isoName}`;
  const renamed = await host.exec(rename, { purpose: "name the image", timeoutMs: RENAME_TIMEOUT_MS });
  if (renamed.status === 0) return;
  const message = `The image could not be named ${image.isoName} on ${host.address}. Check ${path} there.`;
  throw failed(host, "FOLDER_FAILED", message, renamed);
}

/** Sends the image and brings it to the host's disk; says how much of it is there. */
async function send(host: SharedConnection, path: string, image: LocalImage) {
  // dd syncs this one file: a bare sync would flush every mounted SR, and hang on a dead NFS.
  const receive = writer(path, sh`dd bs=1M of=${FILE.upload} conv=fsync status=none`);
  const piped = await uploadFile(host, image, receive);
  const arrivedBytes = Number(piped.result.stdout);
  if (piped.result.status !== 0 || arrivedBytes === piped.sent.sizeBytes) return { ...piped, arrivedBytes };

  // The script was content with less: a start-up file of the root shell has read the rest.
  const sent = await uploadFileBySftp(host, image, `${path}/${FILE.upload}`);
  const sync = writer(path, sh`dd of=${FILE.upload} conv=notrunc,fsync status=none </dev/null`);
  const result = await host.exec(sync, { purpose: "sync the image", timeoutMs: SYNC_TIMEOUT_MS });
  return { sent, result, arrivedBytes: Number(result.stdout) };
}

/** Runs `dd` in the folder and prints the size of what is there then. */
function writer(path: string, dd: Script): Script {
  return sh`umask 077
cd -- ${path} && echo "$$ $(ps -o lstart= -p $$)" >${FILE.writer} || exit
${dd}
status=$?
stat -c %s ${FILE.upload}
exit $status`;
}
