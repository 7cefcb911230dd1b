import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { addVm, drivesOf } from "../host/drive";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { findEngine } from "./engine";
import { configureHost, installPlugin, pluginSetting } from "./plugin";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

const files = { "user-data": "#cloud-config\n" };

/** A resource of the plugin that was one of a class. */
const moved = (type: string, name: string, properties: object) => {
  const aliases = [`urn:pulumi:test::test-project::pulumi-nodejs:dynamic/xen:${type}::${name}`];
  return { type: `xen:${type}`, properties, options: { aliases } };
};

test("resources of the classes become those of the plugin by an alias, and the host sees nothing of it", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { vm } = addVm(pool, { powerState: "running", drives: [{}] });
  await using project = await makeProject({
    "index.js": `
      const { XenIsoAttachment, XenIsoRelease, XenTempIso } = require("pulumi-xen-iso");
      const files = ${JSON.stringify(files)};
      const seed = new XenTempIso("seed", { files });
      new XenIsoAttachment("cd", { vmUuid: "${vm.uuid}", vdiUuid: seed.vdiUuid });
      const used = new XenTempIso("used", { files, once: true });
      new XenIsoRelease("end", { srUuid: used.srUuid });
      exports.srUuid = seed.srUuid;`,
  });
  await installPlugin(project);
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);
  await stack.up();
  await stack.refresh();
  const before = await stack.outputs();
  const made = pool.xapi.srs.map(({ uuid }) => uuid);
  const inserted = drivesOf(pool, vm);
  expect(inserted).toEqual([expect.stringMatching(/^3: seed-/)]);

  await rm(join(project.folder, "index.js"));
  await writeFiles(project, {
    "Pulumi.yaml": JSON.stringify({
      name: "test-project",
      runtime: "yaml",
      plugins: pluginSetting,
      resources: {
        seed: moved("TempIso", "seed", { files }),
        cd: moved("IsoAttachment", "cd", { vmUuid: vm.uuid, vdiUuid: "${seed.vdiUuid}" }),
        used: moved("TempIso", "used", { files, once: true }),
        end: moved("IsoRelease", "end", { srUuid: "${used.srUuid}" }),
      },
      outputs: { srUuid: "${seed.srUuid}" },
    }),
  });
  expect((await stack.up()).output).toContain("5 unchanged");
  expect(await stack.outputs()).toEqual(before);
  expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual(made);
  expect(drivesOf(pool, vm)).toEqual(inserted);
  const { resources = [] } = (await stack.export()).deployment;
  const disc = resources.find(({ type }) => type === "xen:index:TempIso");
  expect(String(disc?.outputs?.["srPath"])).toContain(String(disc?.inputs?.["nonce"]));

  expect((await stack.refresh()).output).toContain("5 unchanged");
  await stack.destroy();
  expect(drivesOf(pool, vm)).toEqual(["3: empty"]);
  expect(await pool.leftovers()).toEqual(nothing);
});
