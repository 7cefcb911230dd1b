import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { makeExecutable } from "../plugin/release";
import { startPool } from "../simulator";
import { findEngine } from "./engine";
import { configureHost, pluginSetting } from "./plugin";
import { makeProject } from "./project";
import { Stack } from "./stack";

test(
  "the plugin as one executable makes a disc, with no package beside it",
  { timeout: 300_000 },
  async () => {
    await using pool = await startPool({ transport: "embedded" });
    await using project = await makeProject({
      "index.js": "",
      "Pulumi.yaml": JSON.stringify({
        name: "test-project",
        runtime: "yaml",
        plugins: pluginSetting,
        resources: {
          seed: {
            type: "xen:TempIso",
            properties: { files: { "user-data": "#cloud-config\n", "meta-data": "{}\n" } },
          },
        },
        outputs: { status: "${seed.status}" },
      }),
    });
    const executable = join(project.folder, "pulumi-resource-xen");
    await makeExecutable(process.execPath, executable);
    const engine = await findEngine();
    await using stack = await Stack.create(engine, project.folder);
    await configureHost(stack, pool.coordinator);

    const { output } = await stack.up();
    expect(output).toContain("+ 2 created");
    expect(output).not.toMatch(/warning/i);
    expect(await stack.outputs()).toEqual({ status: "ready" });
    const { resources = [] } = (await stack.export()).deployment;
    const disc = resources.find(({ type }) => type === "xen:index:TempIso");
    expect(disc?.inputs?.["nonce"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(disc?.outputs?.["srPath"]).toBe(`/var/opt/xen-iso/${String(disc?.inputs?.["nonce"])}`);
    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);

    const { stdout } = await promisify(execFile)("pulumi", ["package", "get-schema", executable], {
      env: stack.env,
    });
    expect(Object.keys((JSON.parse(stdout) as { resources: object }).resources)).toHaveLength(3);
  },
);
