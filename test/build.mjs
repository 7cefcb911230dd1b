// Builds dist: JavaScript, declarations, and a copy of the shell files that the code sends to a host.
// Works in place, because tests in another terminal may be using dist.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { decode, encode } from "@jridgewell/sourcemap-codec";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "provider");
const dist = join(root, "dist");
const builds = /^(.+?)(\.js|\.js\.map|\.d\.ts|\.d\.ts\.map)$/;

tsc("tsconfig.build.json");
tsc("tsconfig.types.json");
for (const file of filesIn(sources).filter((file) => file.endsWith(".sh")))
  cpSync(join(sources, file), join(dist, file));
for (const file of filesIn(dist).filter(isStale)) rmSync(join(dist, file));
for (const file of filesIn(dist).filter((file) => file.endsWith(".js.map"))) mapLinesAlone(join(dist, file));

function tsc(project) {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const { status, error } = spawnSync(process.execPath, [compiler, "-p", project], {
    cwd: root,
    stdio: "inherit",
  });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}

/** Leaves out the columns of a source map, five sixths of it: lines are enough for stack traces and breakpoints. */
function mapLinesAlone(file) {
  const text = readFileSync(file, "utf8");
  const map = JSON.parse(text);
  const lines = decode(map.mappings).map((segments) =>
    segments
      .filter(({ length }, index) => length > 1 && segments[index][2] !== segments[index - 1]?.[2])
      .map(([column, source, line]) => [column, source, line, 0]),
  );
  const short = JSON.stringify({ ...map, mappings: encode(lines) });
  // What is as it was keeps its time.
  if (short !== text) writeFileSync(file, short);
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
