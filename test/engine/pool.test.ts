import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { seedImage } from "../seed-image";
import { startPool } from "../simulator";
import { findEngine } from "./engine";
import { copyProject, writeFiles } from "./project";
import { Stack } from "./stack";

test("the example puts a disc on each host that the configuration names, and on no other", async () => {
  await using pool = await startPool({ transport: "embedded", hosts: 2 });
  await using project = await copyProject(resolve(__dirname, "../../examples/pool"));
  await writeFiles(project, { "installer.iso": await seedImage() });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await stack.config("isoPath", join(project.folder, "installer.iso"));
  await stack.config("xen:password", pool.coordinator.connection.password ?? "", { secret: true });
  for (const { name, connection } of pool.hosts) {
    await stack.config(`hosts.${name}.address`, connection.host, { path: true });
    await stack.config(`hosts.${name}.port`, String(connection.port), { path: true });
    await stack.config(`hosts.${name}.hostKey`, connection.hostKey, { path: true });
  }

  await stack.up();
  const { vdiUuids } = (await stack.outputs()) as { vdiUuids: Record<string, string> };
  expect(Object.keys(vdiUuids)).toEqual(["xen1", "xen2"]);
  for (const { name, uuid } of pool.hosts) {
    const vdi = pool.xapi.vdis.find((each) => each.uuid === vdiUuids[name]);
    const pbds = pool.xapi.pbds.filter(({ srUuid }) => srUuid === vdi?.srUuid);
    expect(pbds).toMatchObject([{ hostUuid: uuid, currentlyAttached: true }]);
  }

  await stack.run(["config", "rm", "--path", "hosts.xen2"]);
  expect((await stack.up()).output).toMatch(/- 1 deleted\n +2 unchanged/);
  expect(pool.xapi.vdis.map(({ uuid }) => uuid)).toEqual([vdiUuids["xen1"]]);

  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});
