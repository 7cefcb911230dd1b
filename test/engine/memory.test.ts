import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { peakMemoryOf, providersOf } from "./processes";
import { connectionTo, discProgram } from "./programs";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

const MIB = 1024 ** 2;

test("an image of 3 GiB goes up with the provider process under 200 MiB", async () => {
  await using pool = await startPool({ transport: "sshd" });
  const args = { isoPath: "large.iso", connection: connectionTo(pool.coordinator) };
  await using project = await makeProject(discProgram(args));
  await writeFiles(project, { "large.iso": await seedImage() });
  await using large = await open(join(project.folder, "large.iso"), "r+");
  await large.truncate(3 * 1024 * MIB);
  await using stack = await Stack.create(await findEngine(), project.folder);

  const up = stack.start("up");
  let peakBytes = 0;
  const ended = new AbortController();
  void up.done.finally(() => {
    ended.abort();
  });
  while (!ended.signal.aborted) {
    for (const provider of await providersOf(stack))
      peakBytes = Math.max(peakBytes, (await peakMemoryOf(provider)) ?? 0);
    await sleep(200);
  }
  expect((await up.done).status).toBe(0);
  expect(pool.xapi.vdis).toMatchObject([{ virtualSize: 3 * 1024 * MIB }]);
  expect(peakBytes).toBeGreaterThan(50 * MIB);
  expect(peakBytes).toBeLessThan(200 * MIB);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});
