import { SshError } from "../ssh/error";
import { retry } from "../ssh/retry";
import { type Script, sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import {
  type FilePart,
  OtherBeginningError,
  uploadFile,
  uploadFileBySftp,
  type UploadSource,
} from "../ssh/upload";
import { HostError } from "./error";
import { failed, FILE, type Folder, pathOf, STOP_WRITER } from "./folder";

/** An image on its way to a host. */
export interface Image {
  readonly source: UploadSource;
  /** What check found in it: lower-case hex. */
  readonly sha256: string;
  /** File name on the host. */
  readonly isoName: string;
  /** Ends the upload when it is aborted. */
  readonly signal: AbortSignal;
}

/** How often an upload goes on after its connection was lost; each time connecting has retries of its own. */
const RESUME = { firstPauseMs: 500, growth: 2, longestPauseMs: 5_000, attempts: 5 };

/** A slow disk takes minutes for some GiB, to write them as to read them again. */
const DISK_TIMEOUT_MS = 10 * 60_000;

const QUICK_TIMEOUT_MS = 60_000;

/**
 * Streams the image into the folder, under another name until it is known to be whole: a killed client looks
 * like the end of the file over there, and the local file may have changed since it was hashed.
 *
 * @throws {@link HostError} `UPLOAD_INCOMPLETE`, `IMAGE_CHANGED`, `FOLDER_FAILED`
 */
export async function uploadImage(host: SharedConnection, folder: Folder, image: Image): Promise<void> {
  const path = pathOf(folder);
  const { sent, arrivedBytes, result } = await send(host, path, image);
  if (result.status !== 0 || arrivedBytes !== sent.sizeBytes) {
    const message =
      `The image did not arrive whole on ${host.address}: ${arrivedBytes} of ${sent.sizeBytes} bytes. ` +
      `Check the space in ${folder.srMountPath}, and that root's .bashrc does not read standard input, then run the command again.`;
    throw failed(host, "UPLOAD_INCOMPLETE", message, result);
  }
  if (sent.sha256 !== image.sha256) {
    const message = `${image.source.name} changed while the program ran. Run the command again once nothing writes to it.`;
    throw new HostError("IMAGE_CHANGED", host.address, message);
  }
  const rename = sh`mv -T -- ${path}/${FILE.upload} ${path}/${image.isoName}`;
  const renamed = await host.exec(rename, { purpose: "name the image", timeoutMs: QUICK_TIMEOUT_MS });
  if (renamed.status === 0) return;
  const message = `The image could not be named ${image.isoName} on ${host.address}. Check ${path} there.`;
  throw failed(host, "FOLDER_FAILED", message, renamed);
}

/** Sends the image and brings it to the host's disk; says how much of it is there. */
async function send(host: SharedConnection, path: string, image: Image) {
  const piped = await sendResuming(host, path, image);
  const arrivedBytes = Number(piped.result.stdout);
  if (piped.result.status !== 0 || arrivedBytes === piped.sent.sizeBytes) return { ...piped, arrivedBytes };

  // The script was content with less: a start-up file of the root shell has read the rest.
  const sent = await uploadFileBySftp(host, image, `${path}/${FILE.upload}`);
  const sync = writer(path, sh`true`);
  const result = await host.exec(sync, { purpose: "sync the image", timeoutMs: DISK_TIMEOUT_MS });
  return { sent, result, arrivedBytes: Number(result.stdout) };
}

/** After a lost connection the upload goes on where the host has it, once that is verified. */
function sendResuming(host: SharedConnection, path: string, image: Image) {
  const isPassing = (error: unknown) => error instanceof SshError && error.code === "CONNECTION_LOST";
  let isBegun = false;
  return retry({ ...RESUME, isPassing }, async () => {
    const begun = isBegun ? await lookAtUpload(host, path) : undefined;
    isBegun = true;
    try {
      return await uploadFile(host, image, writer(path, sh`cat >>${FILE.upload}`), begun);
    } catch (error) {
      if (!(error instanceof OtherBeginningError)) throw error;
      const message =
        `What ${host.address} has of the image after a lost connection is not its beginning. ` +
        `Check the disk there, and that nothing writes to ${image.source.name}, then run the command again.`;
      throw new HostError("UPLOAD_INCOMPLETE", host.address, message, { cause: error });
    }
  });
}

/** What the host has of the upload, once nobody adds to it any more. */
async function lookAtUpload(host: SharedConnection, path: string): Promise<FilePart | undefined> {
  const script = sh`cd -- ${path} || exit
${STOP_WRITER}
[ -f ${FILE.upload} ] || exit 0
stat -c %s ${FILE.upload}
nice -n 19 sha256sum <${FILE.upload}`;
  const result = await host.exec(script, { purpose: "look at the upload", timeoutMs: DISK_TIMEOUT_MS });
  const [, size, sha256] = /^(\d+)\n([0-9a-f]{64})/.exec(result.stdout) ?? [];
  return size && sha256 ? { sizeBytes: Number(size), sha256 } : undefined;
}

/**
 * Runs a command that adds to the upload, brings it to the disk, and prints its size.
 *
 * dd syncs this one file: a bare sync would flush every mounted SR, and hang on a dead NFS.
 */
function writer(path: string, command: Script): Script {
  return sh`umask 077
cd -- ${path} && echo "$$ $(ps -o lstart= -p $$)" >${FILE.writer} || exit
${command} && dd of=${FILE.upload} conv=notrunc,fsync status=none </dev/null
status=$?
stat -c %s ${FILE.upload}
exit $status`;
}
