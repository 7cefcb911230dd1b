import { resolve } from "node:path";
import type { IsoFiles } from "../../provider";
import { seedImage } from "../seed-image";
import type { SimulatedHost } from "../simulator";
import { findEngine } from "./engine";
import { copyProject, type Project, writeFiles } from "./project";
import { Stack } from "./stack";

/** An example with a stack of its own, whose configuration has the connection to a host. */
export interface RunnableExample extends AsyncDisposable {
  readonly stack: Stack;
  /** Makes `web-1.iso` an image with this file in it. */
  write(files: IsoFiles): Promise<void>;
}

/** Copies an example, and configures it with `isoPath` and whatever else it asks for. */
export async function startExample(
  name: string,
  host: SimulatedHost,
  config: Readonly<Record<string, string>>,
): Promise<RunnableExample> {
  const project = await copyProject(resolve(__dirname, "../../examples", name));
  const stack = await Stack.create(await findEngine(), project.folder);
  const { host: address, port, password = "", hostKey } = host.connection;
  const values = { "xen:host": address, "xen:port": port, "xen:hostKey": hostKey, ...config };
  await stack.configAll({ isoPath: "web-1.iso", ...values }, { "xen:password": password });
  return {
    stack,
    write: async (files) => writeFiles(project, { "web-1.iso": await seedImage(files) }),
    [Symbol.asyncDispose]: () => end(stack, project),
  };
}

async function end(stack: Stack, project: Project): Promise<void> {
  await stack[Symbol.asyncDispose]();
  await project[Symbol.asyncDispose]();
}
