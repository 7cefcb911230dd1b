import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";
import { downloadEngine } from "../../engine/download";
import { languageHosts, versionOf } from "../../engine/engine-folder";

let folder: string;
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "download-"));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  await rm(folder, { recursive: true });
});

it("unpacks the CLI and the language hosts of the release for this machine", async () => {
  const archive = await release();
  const asked: (string | undefined)[] = [];
  const site = await serve((request, response) => {
    asked.push(request.url);
    response.end(archive);
  });
  await downloadEngine({ folder, version: "3.2.1" }, site);
  expect(asked).toEqual([`/releases/sdk/pulumi-v3.2.1-${process.platform}-${process.arch}.tar.gz`]);
  expect(await versionOf(folder)).toBe("3.2.1");
  for (const name of languageHosts) expect(existsSync(join(folder, name))).toBe(true);
  expect(existsSync(join(folder, "pulumi-watch"))).toBe(false);
});

it("fails when the site has no such release", async () => {
  const site = await serve((_request, response) => response.writeHead(404).end());
  await expect(downloadEngine({ folder, version: "3.2.1" }, site)).rejects.toThrow("404");
});

it("fails when the site breaks off", async () => {
  const site = await serve((_request, response) => {
    response.writeHead(200, { "content-length": "1000" }).write("only this");
    setTimeout(() => response.destroy(), 50);
  });
  await expect(downloadEngine({ folder, version: "3.2.1" }, site)).rejects.toThrow();
});

it("gives a site 5 s to answer", async () => {
  const site = await serve(() => undefined);
  await expect(downloadEngine({ folder, version: "3.2.1" }, site)).rejects.toThrow("no answer within 5 s");
});

async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A release that holds scripts instead of programs, and one program more than is wanted. */
async function release(): Promise<Buffer> {
  const root = join(folder, "release");
  await mkdir(join(root, "pulumi"), { recursive: true });
  for (const name of ["pulumi", ...languageHosts, "pulumi-watch"]) {
    await writeFile(join(root, "pulumi", name), "#!/bin/sh\necho v3.2.1\n");
    await chmod(join(root, "pulumi", name), 0o755);
  }
  await promisify(execFile)("tar", ["-czf", join(root, "r.tar.gz"), "-C", root, "pulumi"]);
  return await readFile(join(root, "r.tar.gz"));
}
