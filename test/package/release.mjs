// Checks that this tree may be released, packs it, and with --publish publishes that package and tags the commit.
// `--check` only checks: `npm publish` runs it first, so that nothing else gets out by that way either.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { version } = JSON.parse(read("package.json"));
const tag = `v${version}`;
const mode = process.argv[2];

const problems = problemsOfTree();
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
if (mode !== "--check") release();

function problemsOfTree() {
  const heading = new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\] - \\d{4}-\\d\\d-\\d\\d$`, "m");
  return [
    git("status", "--porcelain") !== "" &&
      "The tree has changes that are not committed. Commit or remove them.",
    tested() !== git("rev-parse", "HEAD^{tree}") &&
      "This tree was not tested. Run .ci/run; it has to pass, on exactly this commit.",
    !heading.test(read("CHANGELOG.md")) &&
      `CHANGELOG.md has no section for ${version} with a date. Rename its section Unreleased.`,
    !existsSync(join(root, "test", "states", "recorded", version)) &&
      `No states of ${version} are recorded. Run npm run record:states, and commit what it writes.`,
    git("tag", "--list", tag) !== "" && `${tag} is released already. Raise the version in package.json.`,
  ].filter(Boolean);
}

/** The tree that `.ci/run` has passed on. */
function tested() {
  const stamp = join(root, "node_modules", ".pulumi-xen-iso-tested");
  return existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : undefined;
}

function release() {
  run("npm", "pack");
  const tarball = `pulumi-xen-iso-${version}.tgz`;
  if (mode !== "--publish") {
    console.log(`${tarball} is ready. Nothing was published: npm run release -- --publish does that.`);
    return;
  }
  run("npm", "publish");
  run("git", "tag", tag);
  console.log(`Published ${version}. Now run git push --tags.`);
}

function read(file) {
  return readFileSync(join(root, file), "utf8");
}

function git(...args) {
  const { stdout, stderr, status } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")} failed: ${stderr}`);
  return stdout.trim();
}

function run(file, ...args) {
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: "inherit" });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
