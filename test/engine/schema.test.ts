import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { engineModules } from "./build";
import { cacheFolder, findEngine } from "./engine";
import { withLock } from "./lock";

const run = promisify(execFile);
const schema = resolve(__dirname, "../../provider/plugin/schema.json");

/** Of `com.pulumi:pulumi`, on which generated SDKs build. */
const RUNTIME = "1.16.2";

test("`pulumi schema check` accepts the schema, and refuses one with a type that does not exist", async () => {
  const { folder } = await findEngine();
  const check = (file: string) => {
    const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    return run(join(folder, "pulumi"), ["schema", "check", file], { env });
  };
  await check(schema);
  const broken = join(await mkdtemp(join(tmpdir(), "pulumi-schema-")), "schema.json");
  const text = await readFile(schema, "utf8");
  await writeFile(broken, text.replaceAll("#/types/xen:index:PoolHost", "#/types/xen:index:Poolhost"));
  await expect(check(broken)).rejects.toThrow(/Poolhost/);
});

test("the generated Java SDK compiles", { timeout: 400_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-java-"));
  await run(await generator(), [schema, join(folder, "sdk")]);
  const files = await readdir(join(folder, "sdk"), { recursive: true });
  const sources = files.filter((file) => file.endsWith(".java")).map((file) => join(folder, "sdk", file));
  for (const name of ["TempIso", "IsoAttachment", "IsoRelease", "XenFunctions"])
    expect(sources.some((file) => file.endsWith(`/com/pulumi/xen/${name}.java`))).toBe(true);

  const classes = join(folder, "classes");
  await mkdir(classes);
  await run("javac", ["-nowarn", "-d", classes, "-cp", await classPath(folder), ...sources]);
  expect(existsSync(join(classes, "com/pulumi/xen/TempIso.class"))).toBe(true);
});

/** The generator, built once into the user's cache. */
async function generator(): Promise<string> {
  const file = join(cacheFolder(), "pulumi-xen-iso", "pulumi-gen-java-1.21.2");
  const build = async () => {
    if (existsSync(file)) return;
    const flags = ["-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", file];
    const options = { cwd: join(engineModules, "codegen-java"), env: { ...process.env, GOWORK: "off" } };
    await run("go", ["build", ...flags, "./pulumi-gen-java"], options);
  };
  await withLock(`${file}.lock`, () => undefined, build);
  return file;
}

/** Where the runtime of Pulumi programs in Java is, and what it needs; Maven downloads it once. */
async function classPath(folder: string): Promise<string> {
  const pom = `
    <project xmlns="http://maven.apache.org/POM/4.0.0">
      <modelVersion>4.0.0</modelVersion>
      <groupId>test</groupId><artifactId>sdk</artifactId><version>1</version>
      <dependencies>
        <dependency><groupId>com.pulumi</groupId><artifactId>pulumi</artifactId><version>${RUNTIME}</version></dependency>
      </dependencies>
    </project>`;
  await writeFile(join(folder, "pom.xml"), pom.trim());
  const out = join(folder, "classpath");
  await run("mvn", ["-q", "-B", "dependency:build-classpath", `-Dmdep.outputFile=${out}`], { cwd: folder });
  return (await readFile(out, "utf8")).trim();
}
