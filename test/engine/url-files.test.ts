import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { seedImage } from "../seed-image";
import { startPool } from "../simulator";
import { WebServer } from "../web-server";
import { findEngine } from "./engine";
import { configureHost, installPlugin, pluginSetting } from "./plugin";
import { makeProject } from "./project";
import { Stack } from "./stack";

/** What a program gives, by path on the disc. */
interface Urls {
  readonly pinned: string;
  readonly checksum: string;
  readonly token: string;
  readonly remote: string;
}

/** The same disc through both doors: a file with a checksum, one without, and a RemoteAsset. */
const DOORS: Readonly<Record<string, (urls: Urls) => Readonly<Record<string, string>>>> = {
  "a dynamic resource": ({ pinned, checksum, token, remote }) => ({
    "index.js": `
      const pulumi = require("@pulumi/pulumi");
      const { XenTempIso } = require("pulumi-xen-iso");
      const pinned = { url: ${JSON.stringify(pinned)}, checksum: ${JSON.stringify(checksum)} };
      const free = { url: pulumi.secret(${JSON.stringify(token)}) };
      const remote = new pulumi.asset.RemoteAsset(${JSON.stringify(remote)});
      exports.sha256 = new XenTempIso("seed", { files: { pinned, free, remote } }).isoSha256;`,
  }),
  "the plugin": ({ pinned, checksum, token, remote }) => ({
    "Pulumi.yaml": JSON.stringify({
      name: "test-project",
      runtime: "yaml",
      plugins: pluginSetting,
      resources: {
        seed: {
          type: "xen:TempIso",
          properties: {
            files: {
              pinned: { url: pinned, checksum },
              free: { url: { "fn::secret": token } },
              remote: { "fn::remoteAsset": remote },
            },
          },
        },
      },
      outputs: { sha256: "${seed.isoSha256}" },
    }),
  }),
};

test.each(Object.entries(DOORS))(
  "files from https in %s: no body at preview, one HEAD when unchanged, another ETag is another disc",
  { timeout: 240_000 },
  async (_name, programOf) => {
    await using pool = await startPool({ transport: "embedded" });
    await using server = await WebServer.startHttps();
    const bytes = (path: string) => Buffer.from(`content of ${path}`);
    const urls = {
      pinned: server.serve("/moved", { redirect: "/pinned" }),
      checksum: `sha256:${createHash("sha256").update(bytes("/pinned")).digest("hex")}`,
      token: `${server.serve("/free", { bytes: bytes("/free"), validators: { etag: '"1"' } })}?token=s3cret`,
      remote: server.serve("/remote", { bytes: bytes("/remote") }),
    };
    server.serve("/pinned", { bytes: bytes("/pinned") });
    await using project = await makeProject(programOf(urls));
    await installPlugin(project);
    const certificate = server.certificatePath ?? "";
    // The engine itself downloads a RemoteAsset, to hash it.
    const env = { NODE_EXTRA_CA_CERTS: certificate, SSL_CERT_FILE: certificate, NO_PROXY: "*" };
    await using stack = await Stack.create(await findEngine(), project.folder, env);
    await configureHost(stack, pool.coordinator);
    const ownDownloads = () => server.downloads.map(({ path }) => path).filter((path) => path !== "/remote");

    const preview = await stack.preview();
    expect(ownDownloads()).toEqual([]);
    const up = await stack.up();
    const image = await seedImage({
      pinned: bytes("/pinned").toString(),
      free: bytes("/free").toString(),
      remote: bytes("/remote").toString(),
    });
    expect(await stack.outputs()).toEqual({ sha256: createHash("sha256").update(image).digest("hex") });
    const [vdi] = pool.xapi.vdis;
    const pbd = pool.xapi.pbds.find(({ srUuid }) => srUuid === vdi?.srUuid);
    const path = pool.coordinator.path(`${pbd?.deviceConfig["location"]}/${vdi?.nameLabel}`);
    expect(readFileSync(path).equals(image)).toBe(true);

    server.requests.length = 0;
    const again = await stack.up();
    expect(again.output).toMatch(/\d unchanged/);
    expect(again.output).not.toMatch(/created|replaced|updated/);
    expect(ownDownloads()).toEqual([]);
    const heads = server.requests.filter(({ method }) => method === "HEAD").map((each) => each.path);
    expect(heads.filter((each) => each !== "/remote")).toEqual(["/free"]);
    for (const text of [preview.output, up.output, again.output, await stack.exportText()])
      expect(text).not.toContain("s3cret");

    server.serve("/free", { bytes: bytes("/free"), validators: { etag: '"2"' } });
    expect((await stack.up()).output).toContain("+-1 replaced");
    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);
  },
);
