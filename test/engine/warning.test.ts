import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { connectionTo, discProgram } from "./programs";
import { makeProject } from "./project";
import { Stack } from "./stack";

test("warnings are shown at the resource, and a preview needs no host", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const connection = { ...connectionTo(pool.coordinator), hostKey: "ignore" };
  await pool.coordinator.stopSshd();
  await using project = await makeProject({
    ...discProgram({ isoPath: "web-1.iso", connection }),
    "web-1.iso": await seedImage(),
  });
  await appendFile(join(project.folder, "web-1.iso"), "no whole sector");
  await using stack = await Stack.create(await findEngine(), project.folder);
  const { output } = await stack.preview();
  expect(output).toMatch(/xen:TempIso \(seed\):\n +warning: .*no multiple of 512/);
  expect(output).toMatch(/warning: The host key is not checked \(hostKey: ignore\)/);
  expect(output).toMatch(/\+ 2 to create/);
});
