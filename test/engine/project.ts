import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";

/** A Pulumi project in a temporary folder, outside this repository, that resolves packages as a user's does. */
export interface Project extends AsyncDisposable {
  readonly folder: string;
}

/** Files of a project: path to content. */
export type ProjectFiles = Readonly<Record<string, string | Uint8Array>>;

const repository = resolve(__dirname, "../..");

/**
 * Makes a project of `files`, one of which is its program, `index.js` or `index.ts`. `Pulumi.yaml` and
 * `package.json` are added.
 */
export async function makeProject(files: ProjectFiles): Promise<Project> {
  const project = await emptyProject();
  const main = "index.ts" in files ? "index.ts" : "index.js";
  const manifest = JSON.stringify({ name: "test-project", private: true, main });
  await writeFiles(project, {
    "Pulumi.yaml": "name: test-project\nruntime: nodejs\n",
    "package.json": manifest,
    ...files,
  });
  return project;
}

/** Copies a project, an example for instance, without the stacks and packages that may lie in it. */
export async function copyProject(source: string): Promise<Project> {
  const project = await emptyProject();
  const isOfProject = (file: string): boolean => !/^(node_modules|Pulumi\..+\.yaml)$/.test(basename(file));
  await cp(source, project.folder, { recursive: true, filter: isOfProject });
  return project;
}

/** Writes files into the project, over what is there: a changed program, for instance. */
export async function writeFiles({ folder }: Pick<Project, "folder">, files: ProjectFiles): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}

async function emptyProject(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), "pulumi-project-"));
  await linkPackages(join(folder, "node_modules"));
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Node follows links to the real path, so program and library get one copy of `@pulumi/pulumi`: the repository's. */
async function linkPackages(nodeModules: string): Promise<void> {
  await mkdir(nodeModules);
  await symlink(repository, join(nodeModules, "pulumi-xen-iso"), "junction");
  for (const name of ["@pulumi", "@types", "typescript"]) {
    await symlink(join(repository, "node_modules", name), join(nodeModules, name), "junction");
  }
}
