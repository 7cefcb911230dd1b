import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeFiles } from "../engine/project";
import { installPackage, type Workspace } from "./install";

const PROGRAM = `
  import * as pulumi from "@pulumi/pulumi";
  import { buildIso, cloudInit, IsoBuildError, neonInit, XenIsoAttachment, XenIsoRelease, XenTempIso } from "pulumi-xen-iso";
  import type { XenTempIsoArgs } from "pulumi-xen-iso";
  import { tempIso } from "pulumi-xen-iso/provider";
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
  const args: XenTempIsoArgs = config.getBoolean("isBuilt") ? { files } : { isoPath: "a.iso" };
  new XenTempIso("either", { ...args, once: true });
  // @ts-expect-error: two images
  new XenTempIso("both", { isoPath: "a.iso", files });
  // @ts-expect-error: no image
  new XenTempIso("neither", { connection });
  // @ts-expect-error: no such content
  new XenTempIso("wrong content", { files: { a: { text: "text" } } });
  // @ts-expect-error: no such argument
  new XenTempIso("wrong", { isoPath: "a.iso", isoPaht: "a.iso" });
  export const vdiUuid: pulumi.Output<string> = seed.vdiUuid;
  export const size: pulumi.Output<number> = seed.isoSize;
  const vmUuid = pulumi.output("1f0c14c8-3b5e-4b8f-9d0b-0b6f6bb3a8a1");
  const once: boolean | undefined = config.getBoolean("once");
  const drive = new XenIsoAttachment("cd", { vmUuid, vdiUuid: seed.vdiUuid, device: undefined, once, connection });
  new XenIsoRelease("release", { srUuid: seed.srUuid, after: [drive.device, pulumi.secret(1), seed], connection });
  export const vbdUuid: pulumi.Output<string> = drive.vbdUuid;
  export const image: AsyncIterable<Uint8Array> = buildIso({ a: "text" });
  export const isRefused = (error: unknown) => error instanceof IsoBuildError && error.code === "ISO_FILES_REFUSED";
  export const create: Function = tempIso.create;
`;

/** Dependencies of one workspace cannot have two versions under one name. */
const COMPILERS = {
  "typescript-5.0": "npm:typescript@~5.0.4",
  "typescript-5.4": "npm:typescript@~5.4.5",
  "typescript-5.9": "npm:typescript@~5.9.3",
  "typescript-newest": "npm:typescript@latest",
} as const;

let workspace: Workspace;

beforeAll(async () => {
  // @types/node as `pulumi new typescript` has it; none of the types that this repository is built with.
  const program = { "@pulumi/pulumi": "3.248.0", "@types/node": "^18" };
  workspace = await installPackage({ ...program, ...COMPILERS });
  await writeFiles(workspace, { "index.ts": PROGRAM });
}, 300_000);

afterAll(async () => {
  await workspace[Symbol.asyncDispose]();
});

const cells = Object.keys(COMPILERS).flatMap((compiler) =>
  ["node16", "nodenext", "bundler"].map((resolution) => [compiler, resolution, ""] as const),
);

/** That of `pulumi new typescript`, with CommonJS; compilers from 6.0 on refuse it. */
const template = Object.keys(COMPILERS)
  .filter((compiler) => compiler !== "typescript-newest")
  .map((compiler) => [compiler, "node", ""] as const);

test.each([...cells, ...template, ["typescript-5.9", "node16", "--exactOptionalPropertyTypes"] as const])(
  "a strict program compiles without skipLibCheck: %s, %s %s",
  async (compiler, resolution, option) => {
    const module = { bundler: "esnext", node: "commonjs" }[resolution] ?? resolution;
    const modules = ["--module", module, "--moduleResolution", resolution, "--types", "node"];
    const strictness = ["--strict", "--skipLibCheck", "false", ...(option ? [option] : [])];
    const errors = await compile(compiler, ["--target", "es2020", ...modules, ...strictness]);
    // grpc-js, which the SDK brings, has errors of its own under `bundler` with old compilers.
    expect(errors.filter((line) => !/^node_modules\/@grpc\//.test(line))).toEqual([]);
    if (resolution !== "bundler") expect(errors).toEqual([]);
  },
);

/** The errors that a compiler prints, a line each. */
async function compile(compiler: string, options: readonly string[]): Promise<string[]> {
  const folder = join(workspace.folder, "node_modules", compiler);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { bin: { tsc: string } };
  const args = [join(folder, bin.tsc), "--noEmit", "--pretty", "false", ...options, "index.ts"];
  return await new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd: workspace.folder }, (error, stdout, stderr) => {
      const errors = stdout.split("\n").filter(Boolean);
      // A compiler that fails has to say why.
      if (error && errors.length === 0) reject(new Error(`${error.message}\n${stderr}`));
      else resolve(errors);
    });
  });
}
