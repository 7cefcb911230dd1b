import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { connectionTo, discProgram } from "./programs";
import { makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

const iso = async () => ({ "web-1.iso": await seedImage() });

test("a disc in memory is lost by a reboot: refresh says so, the next up replaces it", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const host = pool.coordinator;
  const args = { isoPath: "web-1.iso", connection: connectionTo(host), srMountPath: "/var/run/sr-mount" };
  await using project = await makeProject({ ...discProgram(args), ...(await iso()) });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await stack.up();
  const first = await stack.outputs();

  await host.reboot();
  await stack.refresh();
  const disc = (await stack.export()).deployment.resources?.find(({ id }) => id === first["srUuid"]);
  expect(disc?.outputs).toMatchObject({ status: "lost" });

  await stack.up();
  const second = await stack.outputs();
  expect(second).toMatchObject({ status: "ready" });
  expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([second["srUuid"]]);

  // Without a refresh in between, a destroy clears the corpse as well.
  await host.reboot();
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a disc that is gone from the host is dropped by a refresh and made anew by an up", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const args = { isoPath: "web-1.iso", connection: connectionTo(pool.coordinator) };
  await using project = await makeProject({ ...discProgram(args), ...(await iso()) });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await stack.up();

  pool.xapi.forgetSr(String((await stack.outputs())["srUuid"]));
  rmSync(pool.coordinator.path("/var/opt/xen-iso"), { recursive: true });
  expect((await stack.refresh()).output).toMatch(/- 1 deleted/);
  expect((await stack.up()).output).toMatch(/\+ 1 created/);
  expect(pool.xapi.srs).toHaveLength(1);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a create whose rollback cannot finish is kept as incomplete, and the next up puts it right", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const args = { isoPath: "web-1.iso", connection: connectionTo(pool.coordinator) };
  await using project = await makeProject({ ...discProgram(args), ...(await iso()) });
  await using stack = await Stack.create(await findEngine(), project.folder);
  const failure = {
    kind: "fail",
    code: "SR_BACKEND_FAILURE_47",
    params: ["", "The SR is not available", ""],
  } as const;
  pool.xapi.faults.push({ command: "sr-scan", effect: failure });
  pool.xapi.faults.push({ command: "sr-forget", effect: failure });

  const { output } = await stack.up({ expectFailure: true });
  expect(output).toMatch(/xe sr-scan failed .*Could not be undone: the SR of \/var\/opt\/xen-iso/s);
  expect(pool.xapi.srs).toHaveLength(1);

  await stack.up();
  const { srUuid, status } = await stack.outputs();
  expect(status).toBe("ready");
  expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([srUuid]);
  expect((await pool.leftovers()).paths).toHaveLength(3);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

test("a changed password is taken over in place", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { password: _, ...connection } = connectionTo(pool.coordinator);
  const { privateKey } = pool.coordinator.connection;
  const args = { isoPath: "web-1.iso", connection: connectionTo(pool.coordinator) };
  await using project = await makeProject({ ...discProgram(args), ...(await iso()) });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await stack.up();
  const { srUuid } = await stack.outputs();
  await writeFiles(project, discProgram({ ...args, connection: { ...connection, privateKey } }));
  expect((await stack.up()).output).toMatch(/~ 1 updated/);
  expect((await stack.outputs())["srUuid"]).toBe(srUuid);
  expect(await stack.exportText()).not.toContain("PRIVATE KEY");
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});
