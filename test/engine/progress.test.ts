import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Proxy, startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { connectionTo, discProgram } from "./programs";
import { makeProject } from "./project";
import { Stack } from "./stack";

const MIB = 1024 ** 2;

test("an up tells how far the upload is, with --debug what runs on the host, and never a password", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const host = pool.coordinator;
  await using proxy = await Proxy.start(host.connection, { bytesPerSecond: MIB / 2 });
  // From the configuration: what a program gives, Pulumi's own SDK prints with --debug, secrets too.
  const { password: _, ...withoutPassword } = connectionTo(host);
  const connection = { ...withoutPassword, port: proxy.port };
  await using project = await makeProject({
    ...discProgram({ isoPath: "web-1.iso", connection }),
    // Some 14 s, with a line every 5 s where there is no terminal.
    "web-1.iso": await seedImage({
      "user-data": "#cloud-config\n",
      noise: { base64: randomBytes(7 * MIB).toString("base64") },
    }),
  });
  await using stack = await Stack.create(await findEngine(), project.folder);

  await stack.config("xen:password", host.connection.password ?? "", { secret: true });
  const { output } = await stack.up({ args: ["--debug"] });
  expect(output).toMatch(/xen:TempIso seed .*uploading \d+ % of 7\.\d MiB, [\d.]+ [KM]iB\/s, \d+ s left/);
  expect(output).toMatch(/debug: 127\.0\.0\.1:\d+: make the storage repository: exit status 0, \d+ ms/);
  expect(output).not.toContain(host.connection.password);

  const unchanged = await stack.up();
  expect(unchanged.output).not.toMatch(/uploading|debug:|warning:/);
});

test("a destroy goes on without a host that is gone once the user says so", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const connection = connectionTo(pool.coordinator);
  await using project = await makeProject({
    ...discProgram({ isoPath: "web-1.iso", connection }),
    "web-1.iso": await seedImage(),
  });
  await using stack = await Stack.create(await findEngine(), project.folder);
  await stack.up();
  const { srUuid } = await stack.outputs();
  const stateFile = join(project.folder, "state.json");
  await writeFile(stateFile, await stack.exportText());
  await pool.coordinator.stopSshd();

  const refused = await stack.destroy({ expectFailure: true });
  expect(refused.output).toMatch(/PULUMI_XEN_DELETE_UNREACHABLE=true.*pulumi destroy --run-program/);

  const warning = new RegExp(
    `warning: Nothing listens for SSH.*left on 127\\.0\\.0\\.1: SR ${String(srUuid)}.*npx pulumi-xen-iso sweep --host`,
  );
  const byVariable = await stack.destroy({ env: { PULUMI_XEN_DELETE_UNREACHABLE: "true" } });
  expect(byVariable.output).toMatch(warning);
  expect((await stack.export()).deployment.resources ?? []).toEqual([]);

  await stack.run(["stack", "import", "--file", stateFile]);
  await stack.config("xen:deleteUnreachable", "true");
  await stack.destroy({ expectFailure: true });
  const byConfiguration = await stack.destroy({ args: ["--run-program"] });
  expect(byConfiguration.output).toMatch(warning);
  expect((await stack.export()).deployment.resources ?? []).toEqual([]);
});
