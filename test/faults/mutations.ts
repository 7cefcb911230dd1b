/**
 * `npm run test:mutations`: breaks the provider in small ways, one at a time, in a copy of this repository, and
 * shows which test notices. `--only <regular expression>` chooses some of them by name.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { type Mutation, MUTATIONS } from "./mutation-list";

const ROOT = join(__dirname, "..", "..");

/** One file of tests may wait for limits of a minute. */
const LIMIT_MS = 10 * 60_000;

/** What vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function main(): void {
  const { values } = parseArgs({ options: { only: { type: "string" } } });
  const only = new RegExp(values.only ?? "");
  const mutations = MUTATIONS.filter(({ name }) => only.test(name));
  const copy = copyTree();
  try {
    assertUnbroken(copy, mutations);
    const survivors = mutations.filter((mutation) => !isNoticed(copy, mutation));
    console.log(`mutations: ${mutations.length}, noticed: ${mutations.length - survivors.length}`);
    process.exitCode = survivors.length === 0 && mutations.length > 0 ? 0 : 1;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** What is not ignored, with the same packages. */
function copyTree(): string {
  const copy = mkdtempSync(join(tmpdir(), "mutations-"));
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  for (const file of listed.split("\0").filter(Boolean)) {
    mkdirSync(join(copy, dirname(file)), { recursive: true });
    cpSync(join(ROOT, file), join(copy, file), { verbatimSymlinks: true });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return copy;
}

/** A test that fails in any case notices nothing. */
function assertUnbroken(copy: string, mutations: readonly Mutation[]): void {
  for (const mutation of mutations) applied(copy, mutation);
  const titles = mutations.map(({ title }) => title).join("|");
  const failed = failuresOf(copy, [...new Set(mutations.map(({ tests }) => tests))], titles);
  if (failed.length > 0) throw new Error(`These fail without a mutation: ${failed.join("; ")}`);
}

function isNoticed(copy: string, mutation: Mutation): boolean {
  const path = join(copy, mutation.file);
  const before = readFileSync(path, "utf8");
  writeFileSync(path, applied(copy, mutation));
  const [noticed] = failuresOf(copy, [mutation.tests], mutation.title);
  writeFileSync(path, before);
  console.log(`${mutation.name.padEnd(58)} ${noticed ?? "SURVIVED"}`);
  return noticed !== undefined;
}

/**
 * The file as the mutation makes it.
 *
 * @throws Error when the text that it changes is not there, or not once: then it has to follow the provider
 */
function applied(copy: string, { name, file, search, replace }: Mutation): string {
  const parts = readFileSync(join(copy, file), "utf8").split(search);
  if (parts.length !== 2)
    throw new Error(`${name}: ${file} has ${parts.length - 1} times what is to be changed: ${search}`);
  return parts.join(replace);
}

/** The tests that fail, as far as they are run: the first is enough. */
function failuresOf(copy: string, tests: readonly string[], title: string): string[] {
  const report = join(copy, "report.json");
  rmSync(report, { force: true });
  const { stderr } = spawnSync(
    process.execPath,
    [
      join("node_modules", "vitest", "vitest.mjs"),
      "run",
      "--project=unit",
      "--project=process",
      "--project=remote",
      "--project=host",
      "--bail=1",
      "--reporter=json",
      `--outputFile=${report}`,
      `--testNamePattern=${title}`,
      ...tests,
    ],
    { cwd: copy, encoding: "utf8", timeout: LIMIT_MS },
  );
  const { testResults } = readReport(report, stderr);
  const count = testResults.flatMap(({ assertionResults }) => assertionResults).filter(isRun).length;
  if (count === 0 && testResults.every(({ message }) => message === ""))
    throw new Error(`No test is like ${title}.`);
  return testResults.flatMap(({ message, assertionResults }) => {
    const failed = assertionResults
      .filter(({ status }) => status === "failed")
      .map(({ fullName }) => fullName);
    // A file that could not be loaded has no test, and a message.
    return assertionResults.length === 0 && message !== "" ? [message] : failed;
  });
}

const isRun = ({ status }: { readonly status: string }) => status === "passed" || status === "failed";

function readReport(path: string, stderr: string): Report {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch (error) {
    throw new Error(`vitest wrote no report: ${stderr}`, { cause: error });
  }
}

main();
