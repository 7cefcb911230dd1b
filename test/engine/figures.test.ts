import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { findEngine } from "./engine";
import { configureHost, installPlugin, pluginSetting } from "./plugin";
import { peakMemoryOf, providersOf } from "./processes";
import { makeProject } from "./project";
import { Stack } from "./stack";

type Door = "dynamic" | "plugin";

const lines: string[] = [];

const filesOf = (name: string) => ({ "user-data": `#cloud-config\nhostname: ${name}\n` });

/** A program with a disc of each name. */
function programOf(door: Door, names: readonly string[]): Record<string, string> {
  const discs = names.map((name) => [name, { files: filesOf(name) }] as const);
  if (door === "dynamic")
    return {
      "index.js": `
        const { XenTempIso } = require("pulumi-xen-iso");
        for (const [name, args] of ${JSON.stringify(discs)}) new XenTempIso(name, args);`,
    };
  const resources = discs.map(([name, properties]) => [name, { type: "xen:TempIso", properties }] as const);
  const settings = { name: "test-project", runtime: "yaml", plugins: pluginSetting };
  return {
    "index.js": "",
    "Pulumi.yaml": JSON.stringify({ ...settings, resources: Object.fromEntries(resources) }),
  };
}

test.each([
  [1, "dynamic"],
  [1, "plugin"],
  [100, "dynamic"],
  [100, "plugin"],
] as const)("%d discs by way of the %s door", async (count, door) => {
  const names = Array.from({ length: count }, (_, index) => `disc-${index}`);
  await using pool = await startPool({ transport: "embedded" });
  await using project = await makeProject(programOf(door, names));
  await installPlugin(project);
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);

  const memory = watchMemory(stack);
  const begin = performance.now();
  await stack.up();
  const seconds = (performance.now() - begin) / 1_000;
  const mib = Math.round((await memory.stop()) / 1024 ** 2);
  const state = await stack.exportText();
  lines.push(
    `${count} ${door}: up ${seconds.toFixed(1)} s, state ${state.length} bytes, provider at most ${mib} MiB`,
  );
  expect(pool.xapi.srs).toHaveLength(count);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

afterAll(() => {
  console.log(`Discs through both doors:\n${lines.join("\n")}`);
});

/** The most memory that the stack's providers have resident. */
function watchMemory(stack: Stack): { stop(): Promise<number> } {
  const ended = new AbortController();
  const watching = (async () => {
    let peak = 0;
    while (!ended.signal.aborted) {
      const all = await Promise.all((await providersOf(stack)).map(peakMemoryOf));
      peak = Math.max(peak, ...all.map((bytes) => bytes ?? 0));
      await sleep(100);
    }
    return peak;
  })();
  return {
    stop: () => {
      ended.abort();
      return watching;
    },
  };
}
