import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { arch, platform } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { type Engine, languageHosts } from "./engine-folder";

const vendor = "https://get.pulumi.com";
const answerWithinMs = 5_000;
const downloadWithinMs = 300_000;

/**
 * Downloads the release for this machine, and unpacks the CLI and the language hosts into the engine's folder.
 *
 * @param site where releases lie; the vendor's if not given
 * @throws Error if the site does not begin to answer within 5 s, or has no such release
 */
export async function downloadEngine({ folder, version }: Engine, site = vendor): Promise<void> {
  const archive = join(folder, "release.tar.gz");
  await download(`${site}/releases/sdk/pulumi-v${version}-${platform()}-${arch()}.tar.gz`, archive);
  const programs = ["pulumi", ...languageHosts].map((name) => `pulumi/${name}`);
  await promisify(execFile)("tar", ["-xzf", archive, "-C", folder, "--strip-components=1", ...programs]);
  await rm(archive);
}

async function download(url: string, file: string): Promise<void> {
  const slow = new AbortController();
  const timer = setTimeout(() => {
    slow.abort(new Error(`no answer within ${answerWithinMs / 1000} s`));
  }, answerWithinMs);
  const signal = AbortSignal.any([slow.signal, AbortSignal.timeout(downloadWithinMs)]);
  const response = await fetch(url, { signal }).finally(() => {
    clearTimeout(timer);
  });
  if (!response.ok || !response.body) throw new Error(`${url}: ${response.status} ${response.statusText}`);
  await pipeline(Readable.fromWeb(response.body), createWriteStream(file));
}
