// Makes a fresh clone ready to run: packages installed, the library built. What is done already is skipped.
// Plain Node without a dependency: it runs before there is a node_modules folder.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const inRoot = (...path) => join(root, ...path);

const sources = [
  "provider",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "tsconfig.types.json",
  "test/build.mjs",
];
/** Its time of change is when the last good build began. In node_modules, so that a new installation builds anew. */
const stamp = inRoot("node_modules", ".pulumi-xen-iso-built");

if (!isInstalled()) {
  console.log("Installing packages (npm ci)");
  npm("ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error");
}
if (!isBuilt()) {
  console.log("Building dist");
  build();
}

/** Whether node_modules holds just what package-lock.json says, but for optional packages of other systems. */
function isInstalled() {
  if (!existsSync(inRoot("node_modules", ".package-lock.json"))) return false;
  const wanted = packagesOf("package-lock.json");
  const there = packagesOf("node_modules", ".package-lock.json");
  const isThere = ([path, { version, optional }]) =>
    path in there ? there[path].version === version : optional === true;
  return Object.entries(wanted).every(isThere) && Object.keys(there).every((path) => path in wanted);
}

function packagesOf(...path) {
  const { "": _self, ...packages } = JSON.parse(readFileSync(inRoot(...path), "utf8")).packages;
  return packages;
}

function isBuilt() {
  if (!existsSync(stamp) || !existsSync(inRoot("dist", "index.js"))) return false;
  return Math.max(...sources.map((source) => changedMs(inRoot(source)))) < statSync(stamp).mtimeMs;
}

/** When a file, or anything in a folder, was last changed; a folder changes when something in it is removed. */
function changedMs(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => changedMs(join(path, name))));
}

function build() {
  const begun = new Date();
  run(process.execPath, inRoot("test", "build.mjs"));
  writeFileSync(stamp, "");
  utimesSync(stamp, begun, begun);
}

/** The npm that runs this script, if it is one; else the one on PATH. */
function npm(...args) {
  const script = process.env.npm_execpath;
  if (script && basename(script) === "npm-cli.js") run(process.execPath, script, ...args);
  else run("npm", ...args);
}

function run(file, ...args) {
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`Cannot run ${file}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}
