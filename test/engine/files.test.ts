import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { nothing } from "../host/pool";
import { type SimulatedPool, startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { configureHost } from "./plugin";
import { connectionTo } from "./programs";
import { copyProject, makeProject, writeFiles } from "./project";
import { Stack } from "./stack";

const examples = resolve(__dirname, "../../examples");

/** The image of a disc as the host has it. */
function imageOf(pool: SimulatedPool, vdiUuid: unknown): Buffer {
  const vdi = pool.xapi.vdis.find(({ uuid }) => uuid === vdiUuid);
  const pbd = pool.xapi.pbds.find(({ srUuid }) => srUuid === vdi?.srUuid);
  return readFileSync(
    pool.coordinator.path(join(String(pbd?.deviceConfig["location"]), vdi?.nameLabel ?? "")),
  );
}

test("examples/cloud-init: three discs, each with its machine's files, made anew with other content", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using project = await copyProject(join(examples, "cloud-init"));
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);
  const passwordHash = "$6$saltsalt$hunter2";
  await stack.config("passwordHash", passwordHash, { secret: true });
  await stack.config("sshPublicKey", "ssh-ed25519 AAAAone admin");

  const up = await stack.up({ args: ["--diff"] });
  expect(up.output).toContain("+ 4 created");
  const first = (await stack.outputs())["vdiUuids"] as Record<string, string>;
  expect(Object.keys(first)).toEqual(["web-1", "web-2", "web-3"]);
  for (const [index, [hostname, vdiUuid]] of Object.entries(first).entries()) {
    const image = imageOf(pool, vdiUuid);
    for (const text of [`local-hostname: ${hostname}\n`, `10.0.0.1${index + 1}/24`, passwordHash, "- nginx"])
      expect(image.includes(text)).toBe(true);
  }
  expect(await stack.exportText()).not.toContain("hunter2");
  expect((await stack.up()).output).toContain("4 unchanged");

  await stack.config("sshPublicKey", "ssh-ed25519 AAAAtwo admin");
  const replaced = await stack.up({ args: ["--diff"] });
  expect(replaced.output).toContain("+-3 replaced");
  const second = (await stack.outputs())["vdiUuids"] as Record<string, string>;
  expect(pool.xapi.vdis.map(({ uuid }) => uuid).sort()).toEqual(Object.values(second).sort());
  expect(idOf(imageOf(pool, second["web-1"]))).not.toBe(idOf(imageOf(pool, second["web-2"])));

  for (const text of [up.output, replaced.output, await stack.exportText()])
    expect(text).not.toContain("hunter2");
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

const idOf = (image: Buffer) => /instance-id: (iid-[0-9a-f]{16})\n/.exec(image.toString("latin1"))![1];

test("examples/neon-init: the script is on the disc, its password not in the state", async () => {
  await using pool = await startPool({ transport: "embedded" });
  await using project = await copyProject(join(examples, "neon-init"));
  await using stack = await Stack.create(await findEngine(), project.folder);
  await configureHost(stack, pool.coordinator);
  await stack.config("nodePassword", "hunter2", { secret: true });
  await stack.config("address", "10.0.0.21/24");
  await stack.config("gateway", "10.0.0.1");

  await stack.up();
  const first = imageOf(pool, (await stack.outputs())["vdiUuid"]);
  for (const text of ["neon-init.sh", "#!/bin/bash\n", "sysadmin:hunter2\n", "addresses: [10.0.0.21/24]\n"])
    expect(first.includes(text)).toBe(true);
  expect(await stack.exportText()).not.toContain("hunter2");

  await stack.config("address", "10.0.0.22/24");
  expect((await stack.up()).output).toContain("+-1 replaced");
  expect(pool.xapi.vdis).toHaveLength(1);
  const second = imageOf(pool, (await stack.outputs())["vdiUuid"]);
  expect(second.includes("addresses: [10.0.0.22/24]\n")).toBe(true);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

/** Two discs, the second of which has something of the first on it. */
const program = (first: object, second: string, options: object = {}) => `
  const pulumi = require("@pulumi/pulumi");
  const { XenTempIso } = require("pulumi-xen-iso");
  const first = new XenTempIso("first", ${JSON.stringify(first)});
  const second = new XenTempIso("second", ${second}, ${JSON.stringify(options)});
  exports.first = first.vdiUuid;
  exports.second = second.vdiUuid;
`;

test("files that are secret, known later, or no longer given", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const connection = connectionTo(pool.coordinator);
  const password = String(connection["password"]);
  const base64 = Buffer.from("hunter3").toString("base64");
  const questionable = { "user-data": "hostname: web-1\n", "large.txt": "x".repeat(1.5 * 1024 ** 2) };
  const files = `{
    "secret.txt": pulumi.secret("hunter2"),
    "secret.bin": { base64: pulumi.secret(${JSON.stringify(base64)}) },
    "first.txt": first.vdiUuid,
    "none.txt": pulumi.secret(undefined),
    "local.txt": { path: "local.txt" },
  }`;
  await using project = await makeProject({
    "local.txt": "a local file",
    "web-1.iso": await seedImage(),
    "index.js": program(
      { connection, files: questionable },
      `{ connection: ${JSON.stringify(connection)}, volumeLabel: "config-2", files: ${files} }`,
    ),
  });
  await using stack = await Stack.create(await findEngine(), project.folder);

  const preview = await stack.preview({ args: ["--diff"] });
  expect(preview.output).toContain("+ 3 to create");
  expect(preview.output).toMatch(
    /warning: files: hold 1\.5 MiB of text and base64, which the state holds twice/,
  );
  expect(preview.output).toMatch(/warning: files\["user-data"\]: begins with none of #cloud-config, #!,/);
  const up = await stack.up();
  const { first, second } = await stack.outputs();
  const expected = {
    "secret.txt": "hunter2",
    "secret.bin": { base64 },
    "first.txt": String(first),
    "local.txt": { path: join(project.folder, "local.txt") },
  };
  expect(imageOf(pool, second).equals(await seedImage(expected, { volumeLabel: "config-2" }))).toBe(true);
  const made = await stack.exportText();
  expect((await stack.refresh()).output).toContain("3 unchanged");
  const refreshed = await stack.exportText();

  // The connection goes into the configuration, and other content is ignored: an update of what is there.
  await configureHost(stack, pool.coordinator);
  await writeFiles(project, {
    "index.js": program({ files: questionable }, `{ isoPath: "web-1.iso" }`, {
      ignoreChanges: ["isoSha256"],
    }),
  });
  const update = await stack.up();
  expect(update.output).toContain("~ 2 updated");
  expect(await stack.outputs()).toEqual({ first, second });

  const texts = [preview.output, up.output, made, refreshed, update.output, await stack.exportText()];
  for (const text of texts)
    for (const secret of ["hunter2", base64, password]) expect(text.includes(secret)).toBe(false);
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});

test("files that are Pulumi's assets and archives", async () => {
  await using pool = await startPool({ transport: "embedded" });
  const connection = JSON.stringify(connectionTo(pool.coordinator));
  const discs = (text: string) => `
    const pulumi = require("@pulumi/pulumi");
    const { XenTempIso } = require("pulumi-xen-iso");
    const { FileArchive, FileAsset, StringAsset, AssetArchive } = pulumi.asset;
    const connection = ${connection};
    const folder = new XenTempIso("folder", { connection, files: new FileArchive("./seed") });
    const assets = new XenTempIso("assets", { connection, files: {
      "user-data": pulumi.secret(new StringAsset(${JSON.stringify(text)})),
      "meta-data": new StringAsset(""),
      "local.txt": new FileAsset("./seed/bin/local.txt"),
    } });
    const both = new XenTempIso("both", { connection, files: pulumi.secret(new AssetArchive({
      "user-data": new StringAsset(${JSON.stringify(text)}),
      "meta-data": new StringAsset(""),
      more: new FileArchive("./seed/bin"),
    })) });
    exports.vdiUuids = [folder.vdiUuid, assets.vdiUuid, both.vdiUuid];
  `;
  await using project = await makeProject({
    "index.js": discs("#!hunter2\n"),
    "seed/user-data": "#cloud-config\n",
    "seed/meta-data": "",
    "seed/bin/local.txt": "a local file",
  });
  await using stack = await Stack.create(await findEngine(), project.folder);
  const texts = [(await stack.preview({ args: ["--diff"] })).output, (await stack.up()).output];

  const built = (await stack.outputs())["vdiUuids"] as string[];
  const local = { path: join(project.folder, "seed/bin/local.txt") };
  const seed = { "user-data": "#!hunter2\n", "meta-data": "" };
  const expected = [
    { "user-data": "#cloud-config\n", "meta-data": "", "bin/local.txt": local },
    { ...seed, "local.txt": local },
    { ...seed, "more/local.txt": local },
  ];
  for (const [index, files] of expected.entries())
    expect(imageOf(pool, built[index]).equals(await seedImage(files))).toBe(true);

  expect((await stack.up()).output).toContain("4 unchanged");
  await writeFiles(project, { "index.js": discs("#!hunter2 again\n") });
  const replaced = await stack.up({ args: ["--diff"] });
  expect(replaced.output).toContain("+-2 replaced");
  await writeFiles(project, { "seed/bin/local.txt": "another local file" });
  expect((await stack.up()).output).toContain("+-3 replaced");
  for (const text of [...texts, replaced.output, await stack.exportText()])
    expect(text).not.toContain("hunter2");
  await stack.destroy();
  expect(await pool.leftovers()).toEqual(nothing);
});
