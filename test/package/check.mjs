// Checks the package as npm would publish it: its files, its size, and that its declarations are complete.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { posix } from "node:path";

/** A program downloads it at every installation. */
const LARGEST_PACKED_BYTES = 250_000;

/** What `pulumi package add` takes is the folder `plugin`. */
const forEngine = ["plugin/PulumiPlugin.yaml", "plugin/package.json"];
const plain = ["CHANGELOG.md", "LICENSE", "README.md", "package.json", ...forEngine];
const builds = /^dist\/(.+?)\.(js|d\.ts|d\.ts\.map)$/;
/** An editor shows them for a public name, by the declaration's map. */
const sources = /^provider\/(.+)\.ts$/;
/** Read at run time. */
const copies = /^dist\/(.+\.sh|plugin\/schema\.json)$/;

const pack = packed();
const files = new Set(pack.files.map(({ path }) => path));
const problems = [
  ...plain.filter((file) => !files.has(file)).map((file) => `${file} is missing`),
  ...[...files].flatMap(problemOf),
  ...[...files].filter((file) => file.endsWith(".d.ts")).flatMap(unpackedImports),
  ...(pack.size > LARGEST_PACKED_BYTES
    ? [`the package has ${pack.size} bytes, more than ${LARGEST_PACKED_BYTES}`]
    : []),
];
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`${files.size} files, ${Math.round(pack.size / 1000)} KB packed, each as it should be`);

function packed() {
  const args = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const { stdout, stderr, status } = spawnSync("npm", args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`npm pack ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout)[0];
}

function problemOf(file) {
  const source = sources.exec(file)?.[1];
  if (source) return missing([`dist/${source}.d.ts.map`]);
  const [, build, end] = builds.exec(file) ?? [];
  if (end === "d.ts.map") return missing([`provider/${build}.ts`]);
  if (build) return stale(file, `provider/${build}.ts`);
  if (copies.test(file)) return [];
  return plain.includes(file) ? [] : [`${file} does not belong in the package`];
}

function missing(wanted) {
  return wanted.filter((file) => !files.has(file)).map((file) => `${file} is missing`);
}

function stale(file, source) {
  return existsSync(source) ? [] : [`${file} has no source: run npm run build`];
}

/** The internals have no declarations in the package, so a public one must not import them. */
function unpackedImports(declaration) {
  const imports = readFileSync(declaration, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g);
  return [...imports]
    .map(([, path]) => `${posix.join(posix.dirname(declaration), path)}.d.ts`)
    .filter((imported) => !files.has(imported))
    .map((imported) => `${declaration} imports ${imported}, which the package does not hold`);
}
