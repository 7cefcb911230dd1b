import { execFile } from "node:child_process";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nothing } from "../host/pool";
import { startPool } from "../simulator";
import { seedImage } from "../seed-image";
import { findEngine } from "./engine";
import { connectionTo, discProgram, type Dialect } from "./programs";
import { writeFiles } from "./project";
import { Stack } from "./stack";

const repository = resolve(__dirname, "../..");

/** Has a `node_modules` with the package as npm installs it from its tarball, found by all projects below it. */
let workspace: string;

const npx = (args: string[]) => promisify(execFile)("npx", args, { cwd: workspace });

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), "pulumi-workspace-"));
  const npm = (args: string[], cwd: string) => promisify(execFile)("npm", args, { cwd });
  const { stdout } = await npm(["pack", "--silent", "--pack-destination", workspace], repository);
  const dependencies = {
    "pulumi-xen-iso": `file:${stdout.trim()}`,
    "@pulumi/pulumi": "3.248.0",
    "@types/node": "^20.19.0",
    typescript: "~5.9.3",
  };
  await writeFile(join(workspace, "package.json"), JSON.stringify({ private: true, dependencies }));
  await npm(["install", "--no-audit", "--no-fund", "--prefer-offline", "--no-package-lock"], workspace);
}, 300_000);

afterAll(async () => {
  await rm(workspace, { recursive: true, force: true });
});

test.each([[], ["--exactOptionalPropertyTypes"]])("its types fit a strict program %s", async (...options) => {
  const folder = await mkdtemp(join(workspace, "types-"));
  const program = `
    import * as pulumi from "@pulumi/pulumi";
    import { cloudInit, neonInit, XenIsoAttachment, XenIsoRelease, XenTempIso } from "pulumi-xen-iso";
    const config = new pulumi.Config("xen");
    const port: number | undefined = config.getNumber("port");
    const connection = { host: config.require("host"), port, password: config.getSecret("password") };
    const seed = new XenTempIso("seed", { isoPath: config.get("isoPath"), connection });
    new XenTempIso("other", { isoPath: "a.iso", connection: pulumi.output(connection), srName: undefined });
    const users = [{ name: "admin", passwordHash: config.getSecret("passwordHash"), sudo: config.get("sudo") }];
    const files = cloudInit({ hostname: pulumi.output("web-1"), users, network: { ethernets: {} } });
    new XenTempIso("cloud", { files, volumeLabel: config.get("label") });
    new XenTempIso("more", { files: { ...files, "a/b.txt": config.get("text"), "c.bin": { path: "c.bin" } } });
    new XenTempIso("neon", { files: neonInit(pulumi.interpolate\`#!/bin/bash \${seed.host}\`) });
    new XenTempIso("known later", { files: pulumi.output({ a: "text", b: { base64: pulumi.secret("AAAA") } }) });
    // @ts-expect-error: no such content
    new XenTempIso("wrong content", { files: { a: { text: "text" } } });
    export const vdiUuid: pulumi.Output<string> = seed.vdiUuid;
    export const size: pulumi.Output<number> = seed.isoSize;
    const vmUuid = pulumi.output("1f0c14c8-3b5e-4b8f-9d0b-0b6f6bb3a8a1");
    const once: boolean | undefined = config.getBoolean("once");
    const drive = new XenIsoAttachment("cd", { vmUuid, vdiUuid: seed.vdiUuid, device: undefined, once, connection });
    new XenIsoRelease("release", { srUuid: seed.srUuid, after: [drive.device, pulumi.secret(1), seed], connection });
    export const vbdUuid: pulumi.Output<string> = drive.vbdUuid;
    // @ts-expect-error: no such argument
    new XenTempIso("wrong", { isoPaht: "a.iso" });
  `;
  await writeFiles({ folder }, { "index.ts": program });
  const types = [
    "--module",
    "node16",
    "--moduleResolution",
    "node16",
    "--target",
    "es2022",
    "--types",
    "node",
  ];
  await npx([
    "tsc",
    "--noEmit",
    "--strict",
    "--skipLibCheck",
    ...types,
    ...options,
    join(folder, "index.ts"),
  ]);
});

test("its command line runs", async () => {
  const { stdout } = await npx(["pulumi-xen-iso", "help", "sweep"]);
  expect(stdout).toMatch(/^Usage: pulumi-xen-iso sweep [^]*^Exit status:$/m);
});

const iso = async (text: string) => ({ "web-1.iso": await seedImage({ "user-data": text }) });

test.each<Dialect>(["typescript", "commonjs", "esm"])(
  "the packed package works in a %s program, from up to destroy",
  async (dialect) => {
    await using pool = await startPool({ transport: "embedded" });
    const host = pool.coordinator;
    const folder = join(workspace, dialect);
    await mkdir(folder);
    const args = { isoPath: "web-1.iso", connection: connectionTo(host) };
    await writeFiles({ folder }, { ...discProgram(args, dialect), ...(await iso("#cloud-config\n")) });
    await using stack = await Stack.create(await findEngine(), folder);

    expect((await stack.up()).output).toContain("+ 2 created");
    const first = await stack.outputs();
    expect(pool.xapi.vdis.find(({ uuid }) => uuid === String(first["vdiUuid"]))?.nameLabel).toBe(
      first["isoName"],
    );

    expect((await stack.up()).output).toContain("2 unchanged");
    expect(await stack.outputs()).toEqual(first);

    await writeFiles({ folder }, await iso("#cloud-config\nhostname: web-2\n"));
    expect((await stack.preview()).output).toMatch(/1 to replace/);
    await stack.up();
    const second = await stack.outputs();
    expect(second["srUuid"]).not.toBe(first["srUuid"]);
    expect(pool.xapi.srs.map(({ uuid }) => uuid)).toEqual([second["srUuid"]]);

    expect((await stack.refresh()).output).toContain("2 unchanged");
    await stack.destroy();
    expect(await pool.leftovers()).toEqual(nothing);
  },
);
