import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import type { HostDownload } from "../ssh/upload";
import type { ScriptOutput } from "../ssh/exec";
import { HostError, withHostWords } from "./error";
import { type Folder, pathOf } from "./folder";
import { report } from "./progress";
import { EXIT, parseLine, valueOf } from "./protocol";
import { remote } from "./remote";
import { noRoom } from "./room";

/** How long a download may report nothing. It ends by itself when no byte arrives for a minute. */
const SILENCE_MS = 15 * 60_000;

/** How the image is written: the block size, and how many blocks between two checks of the room. */
export interface WriteSteps {
  readonly blockBytes: number;
  readonly stepBlocks: number;
}

/**
 * Makes the host download an image into the folder with its own curl.
 *
 * @throws {@link HostError} `NO_ROOM`, `UPLOAD_INCOMPLETE`; what `download.verify` throws
 */
export async function downloadOnHost(
  host: SharedConnection,
  { folder, download, signal }: { folder: Folder; download: HostDownload; signal: AbortSignal },
  { blockBytes, stepBlocks }: WriteSteps,
): Promise<void> {
  const { name, algorithm } = download;
  const script = sh`download_image ${pathOf(folder)} ${`${algorithm}sum`} ${blockBytes} ${stepBlocks}`;
  const result = await host.exec(remote(script), {
    purpose: "download the image",
    timeoutMs: SILENCE_MS,
    input: (output) => answer(output, download),
    signal,
    isBulk: true,
  });
  const { stdout } = result;
  const [fetchCode, , toolCode, writeCode] = (valueOf(stdout, "codes") ?? "").split(" ").map(Number);
  if (result.status === EXIT.noRoom || writeCode === EXIT.noRoom) {
    const image = { sizeBytes: writtenBytes(stdout), srMountPath: folder.srMountPath };
    throw noRoom(stdout, image, host.address);
  }
  const tool = valueOf(stdout, "tool");
  const http = valueOf(stdout, "http");
  const why =
    tool !== undefined
      ? `it has no ${tool}, with which the image is compressed. Leave out downloadOnHost`
      : http !== undefined && http !== "none"
        ? `the server answered ${http}. Check the URL and headers`
        : result.status !== 0 || fetchCode !== 0 || writeCode !== 0
          ? "the download broke off. Check that the host reaches the server, or leave out downloadOnHost"
          : toolCode !== 0
            ? "it cannot be decompressed: it is damaged or cut off. Check where it comes from"
            : undefined;
  if (why !== undefined) {
    const message = `${name} could not be downloaded by ${host.address}: ${why}.`;
    throw new HostError("UPLOAD_INCOMPLETE", host.address, withHostWords(message, result));
  }
  const [file = "", image = "", sha256 = ""] = ["file", "image", "sha256"].map((key) => valueOf(stdout, key));
  const sizeBytes = Number(valueOf(stdout, "image_bytes"));
  download.verify({
    file,
    image,
    isImage: valueOf(stdout, "no_image") === undefined,
    content: { sizeBytes, sha256 },
  });
}

/** Sends what to fetch, then a byte for each step; each step restarts the timeout. */
async function* answer(output: ScriptOutput, { url, headers }: HostDownload): AsyncGenerator<Uint8Array> {
  const lines = [url, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), "", ""];
  yield Buffer.from(lines.join("\n"), "latin1");
  for (;;) {
    const line = await output.nextLine();
    if (line === undefined) return;
    const { key, value } = parseLine(line) ?? {};
    if (key !== "written") continue;
    report({ step: "uploading", sentBytes: Number(value) });
    yield Buffer.from("\n");
  }
}

function writtenBytes(stdout: string): number {
  return Number([...stdout.matchAll(/^written=(\d+)$/gm)].at(-1)?.[1] ?? 0);
}
