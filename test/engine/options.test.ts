import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { type SimulatedPool, startPool } from "../simulator";
import { findEngine } from "./engine";
import { configureHost, installPlugin, pluginSetting } from "./plugin";
import { makeProject, type ProjectFiles, writeFiles } from "./project";
import { Stack } from "./stack";

const filesOf = (name: string) => ({
  "user-data": `#cloud-config\nhostname: ${name}\n`,
  "meta-data": "instance-id: web-1\n",
});

const discOf = (name: string, options: object = {}) => ({
  type: "xen:TempIso",
  properties: { files: filesOf(name) },
  options,
});

function programOf(resources: object): ProjectFiles {
  const program = { name: "test-project", runtime: "yaml", plugins: pluginSetting, resources };
  return { "index.js": "", "Pulumi.yaml": JSON.stringify(program) };
}

/** A YAML program that uses the plugin, and its host. */
async function start(resources: object) {
  const pool = await startPool({ transport: "embedded" });
  const project = await makeProject(programOf(resources));
  const stack = await Stack.create(await findEngine(), project.folder);
  await installPlugin(project);
  await configureHost(stack, pool.coordinator);
  return {
    pool,
    project,
    stack,
    [Symbol.asyncDispose]: async () => {
      for (const each of [stack, project, pool]) await each[Symbol.asyncDispose]();
    },
  };
}

const urnOf = (name: string) => `urn:pulumi:test::test-project::xen:index:TempIso::${name}`;

const srsOf = ({ xapi }: SimulatedPool) => xapi.srs.map(({ uuid }) => uuid);

async function discIn(stack: Stack, name: string) {
  const { resources = [] } = (await stack.export()).deployment;
  return resources.find(({ urn }) => urn === urnOf(name));
}

test("--target, a new name, protect, ignoreChanges and retainOnDelete do what they do for every resource", async () => {
  await using scene = await start({ one: discOf("one"), two: discOf("two") });
  const { pool, project, stack } = scene;
  expect((await stack.up({ args: ["--target", urnOf("one")] })).output).toContain("+ 2 created");
  expect((await stack.up()).output).toContain("+ 1 created");
  const made = srsOf(pool);

  await stack.run(["state", "rename", "--yes", urnOf("two"), "three"]);
  await writeFiles(project, programOf({ one: discOf("one", { protect: true }), three: discOf("two") }));
  expect((await stack.up()).output).toContain("3 unchanged");
  await stack.refresh();
  expect(pool.xapi.srs.map(({ nameDescription }) => nameDescription)).toEqual([
    expect.stringContaining(urnOf("one")),
    expect.stringContaining(urnOf("three")),
  ]);
  expect(srsOf(pool)).toEqual(made);
  const { output } = await stack.destroy({ args: ["--target", urnOf("one")], expectFailure: true });
  expect(output).toContain("it is protected");
  expect(srsOf(pool)).toEqual(made);

  const options = { ignoreChanges: ["files"], retainOnDelete: true };
  await writeFiles(project, programOf({ one: discOf("other", options), three: discOf("two") }));
  expect((await stack.up()).output).toContain("3 unchanged");
  const { id } = (await discIn(stack, "one"))!;
  await stack.destroy();
  expect(srsOf(pool)).toEqual([id]);
});

test("what was imported by a file is unchanged, and a refresh previews what happened on the host", async () => {
  await using scene = await start({ seed: discOf("one") });
  const { pool, project, stack } = scene;
  await stack.up();
  const { id } = (await discIn(stack, "seed"))!;
  await stack.run(["state", "delete", "--yes", urnOf("seed")]);
  await writeFiles(project, {
    "import.json": JSON.stringify({ resources: [{ type: "xen:index:TempIso", name: "seed", id }] }),
  });
  const flags = ["--yes", "--skip-preview", "--protect=false"];
  const imported = await stack.run(["import", ...flags, "--file", "import.json"]);
  expect(imported.output).toContain("= 1 imported");
  expect(imported.output).not.toMatch(/warning/);
  expect((await stack.up()).output).toContain("2 unchanged");
  expect(srsOf(pool)).toEqual([id]);

  pool.xapi.forgetSr(id!);
  const preview = await stack.run(["refresh", "--preview-only", "--diff"]);
  expect(preview.output).toContain('~ status: "ready" => "lost"');
  expect((await discIn(stack, "seed"))?.outputs).toMatchObject({ status: "ready" });
  expect((await stack.up({ args: ["--refresh"] })).output).toContain("+-1 replaced");
  expect(srsOf(pool)).not.toEqual([id]);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

test("two providers with a connection each, one of them not known at preview", async () => {
  await using scene = await start({});
  await using other = await startPool({ transport: "embedded" });
  const { pool, project, stack } = scene;
  const providerOf = ({ coordinator }: SimulatedPool, settings: object = {}) => {
    const { host, port, password, hostKey } = coordinator.connection;
    return { type: "pulumi:providers:xen", properties: { host, port, password, hostKey, ...settings } };
  };
  const program = (text: string) =>
    programOf({
      first: providerOf(pool),
      // Not the path of an agent, but one that no preview knows.
      second: providerOf(other, { agentSocketPath: "${one.srPath}" }),
      one: discOf("one", { provider: "${first}" }),
      two: discOf(text, { provider: "${second}" }),
    });
  await stack.run(["config", "rm", "xen:host"]);
  await writeFiles(project, program("two"));
  const preview = await stack.preview({ args: ["--diff"] });
  expect(preview.output).toContain("agentSocketPath: [unknown]");
  expect(preview.output).toContain("+ 5 to create");
  expect((await stack.up()).output).toContain("+ 5 created");
  expect([srsOf(pool), srsOf(other)].map(({ length }) => length)).toEqual([1, 1]);
  await writeFiles(project, program("new"));
  expect((await stack.up()).output).toMatch(/\+-1 replaced\s+4 unchanged/);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
  expect(await other.leftovers()).toEqual(nothing);
});

test("a plugin that was started by hand serves the engines that attach to it", async () => {
  const main = resolve(__dirname, "../../dist/plugin/main.js");
  const plugin = spawn(process.execPath, [main], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = (await once(createInterface(plugin.stdout), "line")) as [string];
    const inMemory = { files: filesOf("one"), srMountPath: "/var/run/sr-mount" };
    await using scene = await start({ seed: { type: "xen:TempIso", properties: inMemory } });
    const { pool, project, stack } = scene;
    await writeFiles(project, { "pulumi-resource-xen": "#!/bin/sh\nexit 1\n" });
    const attached = { env: { PULUMI_DEBUG_PROVIDERS: `xen:${port}` } };
    // The preview is an engine of its own.
    const { output } = await stack.run(["up", "--yes"], attached);
    expect(output).toContain("+ 2 created");
    expect(output).toMatch(/xen:index:TempIso \(seed\):\s+warning: srMountPath .* is in the host's memory/);
    await stack.destroy(attached);
    expect(await pool.leftovers()).toEqual(nothing);
  } finally {
    plugin.kill();
  }
});
