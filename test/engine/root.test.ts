import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { writeFiles } from "./project";
import { Stack } from "./stack";

const repository = resolve(__dirname, "../..");

test("the repository's own program puts any ISO on any host, both from the configuration", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { host, port, password = "", hostKey } = pool.coordinator.connection;
  const folder = await mkdtemp(join(tmpdir(), "root-"));
  try {
    // A copy, because the stack's configuration is written beside Pulumi.yaml.
    for (const name of ["Pulumi.yaml", "package.json", "examples"])
      await cp(join(repository, name), join(folder, name), { recursive: true });
    await symlink(join(repository, "node_modules"), join(folder, "node_modules"));
    await writeFiles({ folder }, { "seed.iso": await seedImage() });

    await using stack = await Stack.create(await findEngine(), folder);
    await stack.config("xen:host", host);
    await stack.config("xen:port", String(port));
    await stack.config("xen:password", password, { secret: true });
    await stack.config("xen:hostKey", hostKey);
    await stack.config("isoPath", "seed.iso");
    await stack.up();
    expect(await stack.outputs()).toMatchObject({ vdiUuid: pool.xapi.vdis[0]?.uuid });
    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);
  } finally {
    await rm(folder, { recursive: true });
  }
});
