import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findEngine } from "../engine/engine";
import { writeFiles } from "../engine/project";
import { nothing } from "../host/pool";
import { TEMPLATE } from "../package/template";
import { startPool } from "../simulator";
import { type Page, readPages, repository } from "./pages";

const SECTION = "from-an-empty-folder-to-the-first-disc";

let root: string;
let readme: Page;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "xen-iso-readme-"));
  readme = (await readPages()).find(({ path }) => path === "README.md")!;
});
afterAll(() => rm(root, { recursive: true, force: true }));

test("README leads from an empty folder to the first disc", { timeout: 300_000 }, async () => {
  await using pool = await startPool({ transport: "embedded" });
  const { port, password = "" } = pool.coordinator.connection;
  const env = await environment();
  await writeFiles({ folder: root }, { password });

  const blocks = readme.blocks.filter(({ section }) => section === SECTION);
  const [setUp, program, up] = blocks.map(({ code }) => code);
  expect(blocks.map(({ language }) => language)).toEqual(["sh", "ts", "sh"]);

  /** A package that is not published yet, a host on another port, and nobody at the keyboard. */
  const asHere = (code: string) =>
    code
      .replace("pulumi new typescript", "pulumi new typescript --offline")
      .replace("npm install pulumi-xen-iso", `npm install ${join(root, "package.tgz")}`)
      .replaceAll("xen1.example.net", "127.0.0.1")
      .replace("ssh-keyscan", `ssh-keyscan -p ${port}`)
      .replace(/--secret xen:password$/m, `--secret xen:password <${join(root, "password")}`)
      .replace("pulumi up", "pulumi up --yes");

  await run(root, asHere(setUp!), env);
  const folder = join(root, "discs");
  await run(folder, `pulumi config set xen:port ${port}`, env);
  await writeFiles({ folder }, { "index.ts": program! });
  expect(await run(folder, asHere(up!), env)).toContain("+ 2 created");

  const { stdout } = await promisify(execFile)("pulumi", ["stack", "output", "vdiUuid"], {
    cwd: folder,
    env,
  });
  expect(pool.xapi.vdis.map(({ uuid }) => uuid)).toContain(stdout.trim());
  await run(folder, "pulumi destroy --yes", env);
  expect(await pool.leftovers()).toEqual(nothing);
});

/**
 * Runs a script as a user's shell does, up to the first command that fails; returns what it prints. Says what each
 * command took.
 */
async function run(cwd: string, script: string, env: NodeJS.ProcessEnv): Promise<string> {
  const traced = `PS4='+ \${EPOCHREALTIME/,/.} '\nset -ex\n${script}`;
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", traced], { cwd, env });
  // A command of a substitution has a second +.
  const steps = Array.from(stderr.matchAll(/^\+ (\d+\.\d+) (.*)$/gm), ([, begun, command]) => ({
    begun: Number(begun),
    command,
  }));
  expect(steps).not.toEqual([]);
  for (const [index, { begun, command }] of steps.entries()) {
    const seconds = (steps[index + 1]?.begun ?? Date.now() / 1_000) - begun;
    console.log(`${seconds.toFixed(1).padStart(6)} s  ${command}`);
  }
  return stdout;
}

/** A home folder with the package, the engine, and the template `typescript`, which Pulumi downloads otherwise. */
async function environment(): Promise<NodeJS.ProcessEnv> {
  const engine = await findEngine();
  for (const folder of ["home", "state", "pulumi", "templates/typescript"])
    await mkdir(join(root, folder), { recursive: true });
  const pack = ["pack", "--silent", "--pack-destination", root];
  const { stdout } = await promisify(execFile)("npm", pack, { cwd: repository });
  await promisify(execFile)("mv", [join(root, stdout.trim()), join(root, "package.tgz")]);
  await writeTemplate(join(root, "templates/typescript"));
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(PULUMI_|SSH_AUTH_SOCK$|npm_|INIT_CWD$)/.test(name),
  );
  return {
    ...Object.fromEntries(kept),
    HOME: join(root, "home"),
    PATH: [engine.folder, process.env["PATH"]].join(delimiter),
    npm_config_prefer_offline: "true",
    ...registryOf(),
    PULUMI_HOME: join(root, "pulumi"),
    PULUMI_TEMPLATE_PATH: join(root, "templates"),
    PULUMI_BACKEND_URL: `file://${join(root, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: randomUUID(),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
  };
}

/** npm's settings of this machine, which lie in a home folder that the test does not use. */
function registryOf(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) => /^npm_config_(registry|cache|cafile)$/i.test(name));
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** What `pulumi new typescript` makes; the SDK is the newest for this Node.js. */
async function writeTemplate(folder: string): Promise<void> {
  const files = {
    "Pulumi.yaml":
      "name: ${PROJECT}\ndescription: ${DESCRIPTION}\nruntime: nodejs\ntemplate:\n  description: A minimal TypeScript Pulumi program\n",
    "index.ts": 'import * as pulumi from "@pulumi/pulumi";\n',
    "package.json": JSON.stringify({
      name: "${PROJECT}",
      main: "index.ts",
      dependencies: { "@pulumi/pulumi": "3.248.0" },
      devDependencies: TEMPLATE.devDependencies,
    }),
    "tsconfig.json": JSON.stringify(TEMPLATE.tsconfig),
  };
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder, path), content);
  // Pulumi removes a folder of templates that is no clone of its own repository.
  const git = (...args: string[]) => promisify(execFile)("git", ["-C", dirname(folder), ...args]);
  await git("init", "--quiet");
  await git("remote", "add", "origin", "https://github.com/pulumi/templates.git");
}
