// Builds dist: JavaScript, declarations, and a copy of the shell files that the code sends to a host.
// Works in place, because tests in another terminal may be using dist.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "provider");
const dist = join(root, "dist");
const builds = /^(.+?)(\.js|\.d\.ts|\.d\.ts\.map)$/;

tsc("tsconfig.build.json");
tsc("tsconfig.types.json");
for (const file of filesIn(sources).filter((file) => file.endsWith(".sh")))
  cpSync(join(sources, file), join(dist, file));
for (const file of filesIn(dist).filter(isStale)) rmSync(join(dist, file));

function tsc(project) {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, error } = spawnSync(process.execPath, [compiler, "-p", project], {
    cwd: root,
    stdio: "inherit",
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Whether the source of a file in dist is gone. */
function isStale(file) {
  if (file.endsWith(".tsbuildinfo")) return false;
  const source = builds.exec(file)?.[1];
  return !existsSync(join(sources, source === undefined ? file : `${source}.ts`));
}

function filesIn(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
}
