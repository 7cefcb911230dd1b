import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nothing } from "../host/pool";
import { installPackage, type Workspace } from "../package/install";
import { startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { configureHost, hostForPlugins } from "./plugin";
import { connectionTo, discProgram, type Dialect } from "./programs";
import { writeFiles } from "./project";
import { Stack } from "./stack";

/** Its `node_modules` is found by all projects below it. */
let workspace: Workspace;

beforeAll(async () => {
  workspace = await installPackage({
    "@pulumi/pulumi": "3.248.0",
    "@types/node": "^20.19.0",
    typescript: "~5.9.3",
  });
}, 300_000);

afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
});

test("its command line runs", async () => {
  const { stdout } = await workspace.npx(["pulumi-xen-iso", "help", "sweep"]);
  expect(stdout).toMatch(/^Usage: pulumi-xen-iso sweep [^]*^Exit status:$/m);
});

const iso = async (text: string) => ({ "web-1.iso": await seedImage({ "user-data": text }) });

test.each<Dialect>(["typescript", "commonjs", "esm"])(
  "the packed package works in a %s program, from up to destroy",
  async (dialect) => {
    await using pool = await startPool({ transport: "embedded" });
    const host = pool.coordinator;
    const folder = join(workspace.folder, dialect);
    await mkdir(folder);
    const args = { isoPath: "web-1.iso", connection: connectionTo(host) };
    await writeFiles({ folder }, { ...discProgram(args, dialect), ...(await iso("#cloud-config\n")) });
    await using stack = await Stack.create(await findEngine(), folder);

    expect((await stack.up()).output).toContain("+ 2 created");
    const first = await stack.outputs();
    expect(pool.xapi.vdis.find(({ uuid }) => uuid === String(first["vdiUuid"]))?.nameLabel).toBe(
      first["isoName"],
    );

    expect((await stack.up()).output).toContain("2 unchanged");
    expect(await stack.outputs()).toEqual(first);

    await writeFiles({ folder }, await iso("#cloud-config\nhostname: web-2\n"));
    expect((await stack.preview()).output).toMatch(/1 to replace/);
    await stack.up();
    const second = await stack.outputs();
    expect(second["srUuid"]).not.toBe(first["srUuid"]);
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([second["srUuid"]]);

    expect((await stack.refresh()).output).toContain("2 unchanged");
    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);
  },
);

test("`pulumi package add` takes the plugin from the packed package, and a YAML program makes a disc", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const folder = join(workspace.folder, "yaml");
  const files = { "user-data": "#cloud-config\n", "meta-data": "instance-id: web-1\n" };
  await mkdir(folder);
  await writeFiles(
    { folder },
    {
      "Pulumi.yaml": JSON.stringify({
        name: "test-project",
        runtime: "yaml",
        resources: { seed: { type: "xen:TempIso", properties: { files } } },
        outputs: { status: "${seed.status}" },
      }),
    },
  );
  const engine = await findEngine();
  const env = await hostForPlugins(engine, join(workspace.folder, "language-host"));
  await using stack = await Stack.create(engine, folder, env);
  await configureHost(stack, pool.coordinator);
  const plugin = join(workspace.folder, "node_modules/pulumi-xen-iso/plugin");

  const { stdout } = await stack.run(["package", "get-schema", plugin]);
  expect(Object.keys((JSON.parse(stdout) as { resources: object }).resources)).toHaveLength(3);
  await stack.run(["package", "add", plugin]);
  expect((await stack.up()).output).toContain("+ 2 created");
  expect(await stack.outputs()).toEqual({ status: "ready" });
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});
