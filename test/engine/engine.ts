import { copyFile, mkdir, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { buildEngine, engineModules } from "./build";
import { downloadEngine } from "./download";
import { dynamicPlugin, folderOnPath, isEngine, versionOf, type Engine } from "./engine-folder";
import { withLock } from "./lock";

/** Takes one line of progress. */
export type Log = (line: string) => void;

/**
 * Finds a Pulumi engine: the one on PATH; else one that an earlier call has installed in the user's cache
 * folder; else installs it there, downloaded from the vendor or, where its site does not answer, built from Go
 * modules (minutes, once).
 *
 * @param log takes a line where something takes long
 * @throws Error saying what to install, if there is no engine and no way to get one
 */
export async function findEngine(log: Log = () => undefined): Promise<Engine> {
  const folder = await folderOnPath();
  return folder ? { folder, version: await versionOf(folder) } : await engineInCache(log);
}

async function engineInCache(log: Log): Promise<Engine> {
  const version = await pinnedVersion();
  const engine = { folder: join(cacheFolder(), "pulumi-xen-iso", `engine-${version}`), version };
  if (!(await isEngine(engine.folder))) await install(engine, log);
  return engine;
}

/** The version to install is written in one place, where Go needs it. */
async function pinnedVersion(): Promise<string> {
  const text = await readFile(join(engineModules, "cli", "go.mod"), "utf8");
  const version = /github\.com\/pulumi\/pulumi\/pkg\/v3 v([\d.]+)/.exec(text)?.[1];
  if (!version)
    throw new Error("go.mod of the Pulumi CLI names no version of github.com/pulumi/pulumi/pkg/v3");
  return version;
}

/** Where the user keeps what can be made again. */
export function cacheFolder(): string {
  const xdg = process.env["XDG_CACHE_HOME"];
  if (xdg) return xdg;
  return process.platform === "darwin" ? join(homedir(), "Library", "Caches") : join(homedir(), ".cache");
}

/** Fills a folder beside `engine.folder` and renames it, so that a folder of that name is always complete. */
async function install(engine: Engine, log: Log): Promise<void> {
  await mkdir(dirname(engine.folder), { recursive: true });
  const onWait = (): void => {
    log(`Waiting for another process, which installs the Pulumi engine ${engine.version}`);
  };
  await withLock(`${engine.folder}.lock`, onWait, async () => {
    if (await isEngine(engine.folder)) return;
    const part = `${engine.folder}.part`;
    await downloadOrBuild({ folder: part, version: engine.version }, log);
    await copyFile(require.resolve(`@pulumi/pulumi/${dynamicPlugin}`), join(part, dynamicPlugin));
    await rm(engine.folder, { recursive: true, force: true });
    await rename(part, engine.folder);
  });
}

async function downloadOrBuild(engine: Engine, log: Log): Promise<void> {
  try {
    await fill(engine, downloadEngine);
    log(`Downloaded the Pulumi engine ${engine.version}`);
    return;
  } catch (error) {
    log(`Could not download the Pulumi engine ${engine.version} (${reasonOf(error)})`);
  }
  log(`Building the Pulumi engine ${engine.version} from Go modules. This takes up to 20 minutes, once.`);
  const begin = Date.now();
  const seconds = (): number => Math.round((Date.now() - begin) / 1000);
  const timer = setInterval(() => log(`Still building the Pulumi engine, after ${seconds()} s`), 30_000);
  try {
    await fill(engine, buildEngine);
  } finally {
    clearInterval(timer);
  }
  log(`Built the Pulumi engine in ${seconds()} s`);
}

/** Empties the engine's folder, fills it by `way`, and sees whether what is there runs. */
async function fill(engine: Engine, way: (engine: Engine) => Promise<void>): Promise<void> {
  await rm(engine.folder, { recursive: true, force: true });
  await mkdir(engine.folder);
  await way(engine);
  const version = await versionOf(engine.folder);
  if (version !== engine.version) throw new Error(`it calls itself ${version} instead of ${engine.version}`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
