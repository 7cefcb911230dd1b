import { mkdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { version } from "../../package.json";
import { nothing } from "../host/pool";
import { checkArchive } from "../plugin/archive";
import { makeArchive, thisMachine } from "../plugin/release";
import { startPool } from "../simulator";
import { WebServer } from "../web-server";
import { findEngine } from "./engine";
import { configureHost } from "./plugin";
import { makeProject } from "./project";
import { Stack } from "./stack";

const program = {
  name: "test-project",
  runtime: "yaml",
  resources: {
    seed: {
      type: "xen:TempIso",
      properties: { files: { "user-data": "#cloud-config\n", "meta-data": "{}\n" } },
    },
  },
  outputs: { status: "${seed.status}" },
};

test(
  "the executable is installed from a web server or a file, and makes a disc with no package beside it",
  { timeout: 300_000 },
  async () => {
    await using pool = await startPool({ transport: "embedded" });
    await using project = await makeProject({ "index.js": "", "Pulumi.yaml": JSON.stringify(program) });
    const folder = join(project.folder, "release");
    await mkdir(folder);
    const node = { target: process.execPath, builder: process.execPath };
    const archive = await makeArchive(thisMachine(), node, folder);
    await expect(checkArchive(archive, "darwin-arm64")).rejects.toThrow(`is for ${thisMachine()}`);
    // npm puts the commands of this package on PATH, where Pulumi would find its plugin.
    const env = { PULUMI_IGNORE_AMBIENT_PLUGINS: "true" };
    await using stack = await Stack.create(await findEngine(), project.folder, env);
    await configureHost(stack, pool.coordinator);

    await using server = await WebServer.start();
    server.files.set(`/${basename(archive)}`, { bytes: await readFile(archive) });
    const install = ["plugin", "install", "resource", "xen", version];
    await stack.run([...install, "--server", server.origin]);
    const { output } = await stack.up();
    expect(output).toContain("+ 2 created");
    expect(output).not.toMatch(/warning/i);
    expect(await stack.outputs()).toEqual({ status: "ready" });
    const { resources = [] } = (await stack.export()).deployment;
    const disc = resources.find(({ type }) => type === "xen:index:TempIso");
    expect(disc?.inputs?.["nonce"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(disc?.outputs?.["srPath"]).toBe(`/var/opt/xen-iso/${String(disc?.inputs?.["nonce"])}`);

    await stack.run(["plugin", "rm", "--all", "--yes"]);
    await stack.run([...install, "--file", archive]);
    const { stdout } = await stack.run(["package", "get-schema", "xen"]);
    expect(Object.keys((JSON.parse(stdout) as { resources: object }).resources)).toHaveLength(3);
    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);
  },
);
