/**
 * `npm run demo`: the life of a disc, by the real Pulumi engine, on a simulated host inside this process.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify, styleText } from "node:util";
import { findEngine } from "../engine/engine";
import { copyProject, writeFiles } from "../engine/project";
import { Stack } from "../engine/stack";
import { type SimulatedHost, startPool } from "../simulator";
import { seedImage } from "../seed-image";

const SR_MOUNT_PATH = "/var/opt/xen-iso";

/** Read by cloud-init (NoCloud) in a VM that has the disc in its drive. */
const FILES = {
  "meta-data": "instance-id: web-1\nlocal-hostname: web-1\n",
  "user-data": "#cloud-config\nhostname: web-1\n",
};

async function main(): Promise<void> {
  const engine = await findEngine(say);
  await using pool = await startPool({ transport: "embedded" });
  const host = pool.coordinator;
  await using project = await copyProject(resolve(__dirname, "../../examples/quick-start"));
  const image = await seedImage(FILES);
  await writeFiles(project, { "web-1.iso": image });
  await using stack = await Stack.create(engine, project.folder);
  onInterrupt(async () => {
    await stack[Symbol.asyncDispose]();
    await project[Symbol.asyncDispose]();
    await pool[Symbol.asyncDispose]();
  });

  title(`A simulated XenServer host listens at ${host.connection.host}:${host.connection.port}`);
  const { connection } = host;
  await stack.config("xen:host", connection.host);
  await stack.config("xen:port", String(connection.port));
  await stack.config("xen:password", connection.password ?? "", { secret: true });
  await stack.config("xen:hostKey", connection.hostKey);
  await stack.config("isoPath", "web-1.iso");
  say(readFileSync(join(project.folder, "index.ts"), "utf8"));

  title("pulumi up");
  say((await stack.up()).output);
  title("What the program got");
  const outputs = await stack.outputs();
  say(JSON.stringify(outputs, null, 2));

  title("What the host has now");
  await showXe(host, "sr-list", "params=uuid,name-label,name-description,type");
  await showXe(host, "vdi-list", "params=uuid,name-label,virtual-size");
  const file = uploadedFile(host);
  say(`local  ${sha256(image)}  web-1.iso`);
  say(`host   ${sha256(readFileSync(host.path(file)))}  ${file}`);
  expect(sha256(image) === sha256(readFileSync(host.path(file))), "the uploaded file equals the local one");

  title("pulumi destroy");
  say((await stack.destroy()).output);
  title("What the host has now");
  await showXe(host, "sr-list");
  await showXe(host, "vdi-list");
  expect(pool.xapi.srs.length === 0, "no storage repository is left");
  expect(foldersOf(host).length === 0, `${SR_MOUNT_PATH} is empty`);
}

async function showXe(host: SimulatedHost, ...args: string[]): Promise<void> {
  say(dim(`$ xe ${args.join(" ")}`));
  const { stdout } = await promisify(execFile)(host.path("/opt/xensource/bin/xe"), args);
  say(stdout.trim() || dim("(nothing)"));
}

function uploadedFile(host: SimulatedHost): string {
  const [folder = ""] = foldersOf(host);
  const files = readdirSync(host.path(join(SR_MOUNT_PATH, folder)));
  const file = files.find((name) => name.endsWith(".iso")) ?? "";
  return join(SR_MOUNT_PATH, folder, file);
}

function foldersOf(host: SimulatedHost): string[] {
  const path = host.path(SR_MOUNT_PATH);
  return existsSync(path) ? readdirSync(path) : [];
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`It does not hold that ${what}.`);
  say(colour("green", `✔ ${what}`));
}

/** Ctrl-C ends the demo with nothing left behind, too. */
function onInterrupt(cleanUp: () => Promise<void>): void {
  process.once("SIGINT", () => {
    say("Cleaning up …");
    void cleanUp().finally(() => process.exit(130));
  });
}

function title(text: string): void {
  say(`\n${colour("cyan", text)}`);
}

function say(text: string): void {
  console.log(text.trimEnd());
}

const dim = (text: string) => colour("gray", text);

function colour(format: "cyan" | "gray" | "green", text: string): string {
  return process.stdout.isTTY ? styleText(format, text) : text;
}

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

void main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
