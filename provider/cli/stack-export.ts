import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { UsageError } from "./exit";

interface Resource {
  readonly id?: unknown;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

interface StackExport {
  readonly deployment?: {
    readonly resources?: readonly Resource[];
    readonly pending_operations?: readonly { readonly resource?: Resource }[];
  };
}

/**
 * The discs that a `pulumi stack export` names, each by the UUID of its SR and of its folder. Not by its URN:
 * that of a state changes with aliases and renames, and the one on the host does not.
 *
 * @param path a file, or `-` for standard input
 * @throws {@link UsageError}
 */
export async function readStackExport(path: string): Promise<ReadonlySet<string>> {
  try {
    return uuidsIn(path === "-" ? await text(process.stdin) : await readFile(path, "utf8"));
  } catch (error) {
    throw new UsageError(`--except-stack-export: ${(error as Error).message}`);
  }
}

/**
 * The same of its text.
 *
 * @throws TypeError, SyntaxError when it is none
 */
export function uuidsIn(exported: string): ReadonlySet<string> {
  const { deployment } = JSON.parse(exported) as StackExport;
  if (typeof deployment !== "object") throw new TypeError("this is not what `pulumi stack export` prints");
  const pending = (deployment.pending_operations ?? []).map(({ resource }) => resource);
  const resources = [...(deployment.resources ?? []), ...pending];
  // The id of a disc is its SR's UUID, also where the outputs are encrypted, or its folder's while incomplete.
  const values = resources.flatMap((resource) => [
    resource?.id,
    resource?.outputs?.["srUuid"],
    lastPart(resource?.outputs?.["srPath"]),
  ]);
  return new Set(values.filter((value) => typeof value === "string"));
}

function lastPart(path: unknown): string | undefined {
  return typeof path === "string" ? path.slice(path.lastIndexOf("/") + 1) : undefined;
}
