import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findEngine } from "../engine/engine";
import { configureHost, installPlugin } from "../engine/plugin";
import { makeProject } from "../engine/project";
import { Stack } from "../engine/stack";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { readPages } from "./pages";

test("the YAML program of docs/other-languages.md makes a disc", async () => {
  const page = (await readPages()).find(({ path }) => path === "docs/other-languages.md");
  const program = page?.blocks.find(({ language }) => language === "yaml")?.code ?? "";
  await using pool = await startPool({ transport: "embedded" });
  await using project = await makeProject({ "index.js": "", "Pulumi.yaml": program });
  // Where npm puts the commands of the packages that it installs.
  await installPlugin(project);
  await mkdir(join(project.folder, "node_modules/.bin"));
  const command = "pulumi-resource-xen";
  await rename(join(project.folder, command), join(project.folder, "node_modules/.bin", command));
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);

  // As `pulumi package add` begins; the language hosts here cannot generate an SDK, which is its next step.
  const { stdout } = await stack.run(["package", "get-schema", `./node_modules/.bin/${command}`]);
  expect(Object.keys((JSON.parse(stdout) as { resources: object }).resources)).toHaveLength(3);

  expect((await stack.up()).output).toContain("+ 2 created");
  const { vdiUuid } = await stack.outputs();
  expect(pool.xapi.vdis.map(({ uuid }) => uuid)).toContain(vdiUuid);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});
