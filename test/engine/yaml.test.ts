import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { findEngine } from "./engine";
import { configureHost, installPlugin, pluginSetting } from "./plugin";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

/** A disc, and one that needs to know its UUID. */
const program = (userData: string) => ({
  "Pulumi.yaml": JSON.stringify({
    name: "test-project",
    runtime: "yaml",
    plugins: pluginSetting,
    config: { note: { type: "string", secret: true } },
    resources: {
      seed: { type: "xen:TempIso", properties: { files: { "user-data": userData, note: "${note}" } } },
      next: { type: "xen:TempIso", properties: { files: { "uuid.txt": "${seed.vdiUuid}" }, srName: "next" } },
    },
    outputs: {
      srUuid: "${seed.srUuid}",
      isoSha256: "${seed.isoSha256}",
      isoSize: "${seed.isoSize}",
      srName: "${next.srName}",
    },
  }),
});

test("a YAML program makes, replaces, refreshes and destroys a disc", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using project = await makeProject({ "index.js": "", ...program("#cloud-config\n") });
  await installPlugin(project);
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);
  await stack.config("note", "for your eyes only", { secret: true });

  expect((await stack.preview()).output).toContain("+ 3 to create");
  expect((await stack.up()).output).toContain("+ 3 created");
  const first = await stack.outputs();
  expect(first).toMatchObject({ srName: "next" });
  const state = await stack.exportText();
  for (const secret of ["for your eyes only", pool.coordinator.connection.password ?? ""])
    expect(state).not.toContain(secret);
  expect((await stack.up()).output).toContain("3 unchanged");

  await writeFiles(project, program("#cloud-config\nhostname: web-2\n"));
  expect(await detailsOf(stack, "seed")).toEqual({
    'files["user-data"]': { kind: "update-replace", inputDiff: true },
  });
  expect((await stack.up()).output).toContain("+-2 replaced");
  const second = await stack.outputs();
  expect(second["srUuid"]).not.toBe(first["srUuid"]);
  expect(pool.xapi.srs.map(({ uuid }) => uuid)).toContain(second["srUuid"]);

  expect((await stack.refresh()).output).toContain("3 unchanged");
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

/** The change of each property of a resource, as a preview tells it. */
async function detailsOf(stack: Stack, name: string): Promise<unknown> {
  const { stdout } = await stack.preview({ args: ["--json"] });
  const { steps } = JSON.parse(stdout) as { steps: { urn: string; detailedDiff?: object }[] };
  return steps.find(({ urn }) => urn.endsWith(`::${name}`))?.detailedDiff;
}
