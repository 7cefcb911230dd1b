import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { imageBytes } from "../unit/image";
import { WebProxy, WebServer } from "../web-server";
import { findEngine } from "./engine";
import { connectionTo } from "./programs";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

const MIB = 1024 ** 2;
const image = Buffer.concat([imageBytes("from https"), randomBytes(3 * MIB)]);
const sha256 = createHash("sha256").update(image).digest("hex");

/** A program with a disc for each of these arguments. */
function programOf(discs: Readonly<Record<string, object>>): string {
  return `const { XenTempIso } = require("pulumi-xen-iso");
for (const [name, args] of Object.entries(${JSON.stringify(discs)})) exports[name] = new XenTempIso(name, args).isoSha256;`;
}

test("discs from https: redirect, ranges, a list of checksums, a proxy; secret headers; one HEAD when unchanged", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using server = await WebServer.startHttps();
  await using proxy = await WebProxy.start();
  const connection = connectionTo(pool.coordinator);
  const headers = { authorization: "Bearer s3cret" };
  const needsHeader = ["authorization", "Bearer s3cret"] as const;
  const isoUrl = server.serve("/latest.iso", { redirect: "/1.iso", needsHeader });
  server.serve("/1.iso", { bytes: image, needsHeader, cut: { times: 1, afterBytes: MIB } });
  const packed = server.serve("/image.gz", { bytes: gzipSync(image) });
  const list = server.serve("/SHA256SUMS", {
    bytes: Buffer.from(`SHA256 (image.gz) = ${createHash("sha256").update(gzipSync(image)).digest("hex")}\n`),
  });
  const discs = {
    plain: { connection, isoUrl, headers },
    packed: { connection, isoUrl: packed, isoChecksum: list },
  };
  await using project = await makeProject({ "index.js": programOf(discs) });
  const env = {
    NODE_EXTRA_CA_CERTS: server.certificatePath ?? "",
    HTTPS_PROXY: proxy.url,
    NO_PROXY: "",
    no_proxy: "",
  };
  await using stack = await Stack.create(await findEngine(), project.folder, env);

  const preview = await stack.preview();
  expect(server.downloads.map(({ path }) => path)).toEqual(["/SHA256SUMS"]);
  const up = await stack.up();
  expect(await stack.outputs()).toEqual({ plain: sha256, packed: sha256 });
  for (const { nameLabel, srUuid } of pool.xapi.vdis) {
    const pbd = pool.xapi.pbds.find((each) => each.srUuid === srUuid);
    const path = pool.coordinator.path(`${pbd?.deviceConfig["location"]}/${nameLabel}`);
    expect(readFileSync(path).equals(image)).toBe(true);
  }
  expect(server.downloads.some(({ headers: sent }) => sent.range === `bytes=${MIB}-`)).toBe(true);
  expect(new Set(proxy.seen)).toEqual(new Set([`CONNECT ${new URL(server.origin).host}`]));

  server.requests.length = 0;
  const again = await stack.up();
  expect(again.output).toContain("3 unchanged");
  const asked = server.requests.map(({ method, path }) => `${method} ${path}`).sort();
  expect(asked).toEqual(["GET /SHA256SUMS", "HEAD /1.iso", "HEAD /latest.iso"]);
  for (const text of [preview.output, up.output, again.output, await stack.exportText()])
    expect(text).not.toContain("s3cret");

  server.files.set("/1.iso", { bytes: image, needsHeader, validators: { etag: '"2"' } });
  expect((await stack.up()).output).toContain("+-1 replaced");
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
}, 240_000);

test("downloads that fail say why, and leave nothing on the host", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using server = await WebServer.startHttps();
  const connection = connectionTo(pool.coordinator);
  const isoChecksum = `sha256:${sha256}`;
  const discs = {
    other: { connection, isoChecksum, isoUrl: server.serve("/other.iso", { bytes: imageBytes("other") }) },
    short: {
      connection,
      isoChecksum,
      isoUrl: server.serve("/short.iso", { bytes: image, length: image.length + 9 }),
    },
    page: {
      connection,
      isoChecksum,
      isoUrl: server.serve("/page.iso", { bytes: Buffer.from("<!doctype html>") }),
    },
    gone: { connection, isoChecksum, isoUrl: `${server.origin}/gone.iso?token=s3cret` },
    cut: {
      connection,
      isoChecksum,
      isoUrl: server.serve("/cut.gz", { bytes: gzipSync(image).subarray(0, MIB) }),
    },
  };
  await using project = await makeProject({ "index.js": programOf(discs) });
  const env = { NODE_EXTRA_CA_CERTS: server.certificatePath ?? "", NO_PROXY: "*" };
  await using stack = await Stack.create(await findEngine(), project.folder, env);

  const { output } = await stack.up({ expectFailure: true, args: ["--continue-on-error"] });
  for (const message of [
    /\/other\.iso is not what isoChecksum says/,
    /\/short\.iso has another length than the server said/,
    /\/page\.iso cannot be used: .* It is a web page/,
    /\/gone\.iso cannot be read: the server answered 404 Not Found/,
    /\/cut\.gz cannot be decompressed \(gzip\)/,
  ])
    expect(output).toMatch(message);
  expect(output).not.toContain("s3cret");
  expect(await pool.leftovers()).toEqual(nothing);

  await writeFiles(project, { "index.js": programOf({}) });
  await stack.destroy();
}, 240_000);
