// Whether `npm pack` would publish just what it should: the build, its sources, three files.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const builds = /^dist\/(.+?)\.(js|js\.map|d\.ts|d\.ts\.map)$/;
const sources = /^provider\/(.+)\.ts$/;

const packed = packedFiles();
const problems = [
  ...["LICENSE", "README.md", "package.json"]
    .filter((file) => !packed.has(file))
    .map((file) => `${file} is missing`),
  ...[...packed].flatMap(problemOf),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${packed.size} files, each as it should be`);

function packedFiles() {
  const { stdout, stderr, status } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`npm pack ended with ${status}:\n${stderr}`);
  const [pack] = JSON.parse(stdout);
  return new Set(pack.files.map(({ path }) => path));
}

function problemOf(file) {
  const source = sources.exec(file)?.[1];
  if (source) return missing([".js", ".js.map", ".d.ts", ".d.ts.map"].map((end) => `dist/${source}${end}`));
  const build = builds.exec(file)?.[1];
  if (build)
    return existsSync(`provider/${build}.ts`) ? [] : [`${file} has no source: remove dist and build`];
  return ["LICENSE", "README.md", "package.json"].includes(file) ? [] : [`${file} does not belong there`];
}

function missing(files) {
  return files.filter((file) => !packed.has(file)).map((file) => `${file} is missing`);
}
