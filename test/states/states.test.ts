import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ImageFormat } from "../../provider/iso/build";
import { findEngine } from "../engine/engine";
import { installPlugin } from "../engine/plugin";
import { makeProject, type Project, writeFiles } from "../engine/project";
import { Stack, type StackState } from "../engine/stack";
import { nothing } from "../host/pool";
import { seedImage } from "../seed-image";
import { type SimulatedPool, startPool } from "../simulator";
import { restoreHost } from "./restore";

/**
 * The stacks of each release, `recorded/<release>/<name>`: program, configuration and `pulumi stack export` as they were
 * written, and `update.ts` or `update.yaml`, the program with a change that updates the disc in place.
 */
const RECORDED = readdirSync(join(__dirname, "recorded")).flatMap((release) =>
  readdirSync(join(__dirname, "recorded", release)).map((stack) => `${release}/${stack}`),
);

/** All of these states were written with it. */
const PASSPHRASE = "x";

/** The password of the hosts of that time, encrypted in these states. */
const OLD_PASSWORD = "dom0-secret";

/** The disc of a stack by `isoPath`, and what is on the disc of one by `files`; the recorded images are not kept. */
const IMAGE = seedImage();
const BIG = "big\n";
const FILES = {
  "user-data": "#cloud-config\n",
  "meta-data": "instance-id: a\n",
  "bin/x": { base64: "AAEC" },
  "big.txt": BIG,
};

/** Runs `work` on the recorded stack, on a host that was brought to the state of that time. */
async function withStack(
  recorded: string,
  work: (stack: Stack, pool: SimulatedPool, project: Project) => Promise<void>,
): Promise<void> {
  const folder = join(__dirname, "recorded", recorded);
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  const { resources = [] } = (JSON.parse(read("state.json")) as StackState).deployment;
  const disc = resources.find(({ type }) => /xen:(index:)?TempIso$/.test(type))?.outputs ?? {};
  // 0.1.0 knew one format, and did not store it.
  const { files, imageFormat = 1 } = disc as { files?: unknown; imageFormat?: ImageFormat };
  const image = await (files === undefined ? IMAGE : seedImage(FILES, { imageFormat }));
  const isoSha256 = createHash("sha256").update(image).digest("hex");

  await using pool = await startPool({ transport: "embedded" });
  const { uuid, connection } = pool.coordinator;
  // The host of that time is gone: this one takes its place.
  const today = (file: string) =>
    read(file)
      .replaceAll(String(disc["hostUuid"]), uuid)
      .replaceAll(String(disc["hostKey"]), connection.hostKey)
      .replaceAll(String(disc["isoSha256"]), isoSha256)
      .replaceAll(String(disc["port"]), String(connection.port))
      .replaceAll("127.0.0.1", connection.host);
  const state = today("state.json");
  restoreHost(pool, JSON.parse(state) as StackState, image);
  const [, projectName = ""] = /^urn:pulumi:dev::([^:]+)/.exec(resources[0]?.urn ?? "") ?? [];
  await using project = await makeProject({
    "Pulumi.yaml": `name: ${projectName}\nruntime: nodejs\n`,
    ...Object.fromEntries(readdirSync(folder).map((file) => [file, today(file)])),
    "state.json": state,
    "web-1.iso": image,
    "big.txt": BIG,
  });
  await installPlugin(project);
  const env = { PULUMI_CONFIG_PASSPHRASE: PASSPHRASE };
  await using stack = await Stack.create(await findEngine(), project.folder, env, "dev");
  await stack.run(["stack", "import", "--file", "state.json"]);
  await changePassword(stack, project, { from: OLD_PASSWORD, to: connection.password ?? "" });
  await work(stack, pool, project);
}

/** Changes a password in the stack's configuration and in its state, where it stays a secret. */
async function changePassword(
  stack: Stack,
  { folder }: Project,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const configuration = readFileSync(join(folder, "Pulumi.dev.yaml"), "utf8");
  const [, key = ""] = /^ {2}(\S+):\n +secure:/m.exec(configuration) ?? [];
  await stack.config(key, to, { secret: true });
  const { stdout } = await stack.run(["stack", "export", "--show-secrets"]);
  expect(stdout).toContain(from);
  await writeFiles({ folder }, { "state.json": stdout.replaceAll(from, to) });
  await stack.run(["stack", "import", "--file", "state.json"]);
}

test.each(RECORDED)("a stack of %s is refreshed and destroyed", async (recorded) => {
  await withStack(recorded, async (stack, pool) => {
    await stack.refresh();
    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);
  });
});

test.each(RECORDED)("a stack of %s is left alone, updated, changed and destroyed", async (recorded) => {
  await withStack(recorded, async (stack, pool, project) => {
    const before = await stack.outputs();
    const records = structuredClone({ srs: pool.xapi.srs, vdis: pool.xapi.vdis, vbds: pool.xapi.vbds });
    const { output } = await stack.up();
    expect(output).not.toMatch(/created|replaced|deleted/);
    expect(await stack.outputs()).toEqual(before);
    expect({ srs: pool.xapi.srs, vdis: pool.xapi.vdis, vbds: pool.xapi.vbds }).toEqual(records);

    const isYaml = existsSync(join(project.folder, "update.yaml"));
    const [update, program] = isYaml ? ["update.yaml", "Pulumi.yaml"] : ["update.ts", "index.ts"];
    await rename(join(project.folder, update), join(project.folder, program));
    expect((await stack.up()).output).toMatch(/1 updated/);
    expect(await stack.outputs()).toEqual(before);

    await writeFiles(project, { "web-1.iso": await seedImage({ a: "other" }), "big.txt": "other\n" });
    expect((await stack.up()).output).toMatch(/replaced/);
    expect((await stack.outputs())["vdiUuid"]).not.toBe(before["vdiUuid"]);

    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);
    expect(pool.xapi.vbds.every(({ empty }) => empty)).toBe(true);
  });
});
