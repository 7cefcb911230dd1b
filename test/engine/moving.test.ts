import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { findEngine } from "./engine";
import { configureHost, installPlugin, pluginSetting } from "./plugin";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

const files = { "user-data": "#cloud-config\n" };

test("a disc of a dynamic resource becomes one of the plugin by an alias, and the host sees nothing of it", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using project = await makeProject({
    "index.js": `
      const { XenTempIso } = require("pulumi-xen-iso");
      exports.srUuid = new XenTempIso("seed", { files: ${JSON.stringify(files)} }).srUuid;`,
  });
  await installPlugin(project);
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);
  await stack.up();
  const before = await stack.outputs();
  const made = pool.xapi.srs.map(({ uuid }) => uuid);

  const dynamic = "urn:pulumi:test::test-project::pulumi-nodejs:dynamic/xen:TempIso::seed";
  await rm(join(project.folder, "index.js"));
  await writeFiles(project, {
    "Pulumi.yaml": JSON.stringify({
      name: "test-project",
      runtime: "yaml",
      plugins: pluginSetting,
      resources: { seed: { type: "xen:TempIso", properties: { files }, options: { aliases: [dynamic] } } },
      outputs: { srUuid: "${seed.srUuid}" },
    }),
  });
  expect((await stack.up()).output).toContain("2 unchanged");
  expect(await stack.outputs()).toEqual(before);
  expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual(made);
  const { resources = [] } = (await stack.export()).deployment;
  const moved = resources.find(({ type }) => type === "xen:index:TempIso");
  expect(String(moved?.outputs?.["srPath"])).toContain(String(moved?.inputs?.["nonce"]));

  expect((await stack.refresh()).output).toContain("2 unchanged");
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});
