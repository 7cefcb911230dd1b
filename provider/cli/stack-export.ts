import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { UsageError } from "./exit";

interface Resource {
  readonly id?: unknown;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

interface StackExport {
  readonly deployment?: {
    readonly resources?: readonly Resource[];
    readonly pending_operations?: readonly { readonly type?: string; readonly resource?: Resource }[];
  };
}

/** The discs that a `pulumi stack export` proves to belong to its stack, by the UUIDs that identify them. */
export interface NamedDiscs {
  /** UUIDs of SR and folder of the discs in the state. */
  readonly held: ReadonlySet<string>;
  /** Folder names (the nonces) of discs whose create was cut off: no resource of the state has them. */
  readonly unfinished: ReadonlySet<string>;
}

/**
 * Reads which discs a stack export names. URNs do not count: other stacks can have the same ones, and they change with
 * aliases and renames.
 *
 * @param path a file, or `-` for stdin
 * @throws {@link UsageError}
 */
export async function readStackExport(path: string): Promise<NamedDiscs> {
  try {
    return discsIn(path === "-" ? await text(process.stdin) : await readFile(path, "utf8"));
  } catch (error) {
    throw new UsageError(`--except-stack-export: ${(error as Error).message}`);
  }
}

/**
 * Reads which discs the text of an export names.
 *
 * @throws TypeError, SyntaxError if it is not an export
 */
export function discsIn(exported: string): NamedDiscs {
  const { deployment } = JSON.parse(exported) as StackExport;
  if (typeof deployment !== "object") throw new TypeError("this is not what `pulumi stack export` prints");
  const operations = deployment.pending_operations ?? [];
  const isCreate = ({ type }: { type?: string }) => type === "creating";
  const others = operations.filter((operation) => !isCreate(operation)).map(({ resource }) => resource);
  const resources = [...(deployment.resources ?? []), ...others];
  // The id of a disc is the UUID of its SR, even if the outputs are encrypted, or that of its folder while incomplete.
  const held = resources.flatMap((resource) => [
    resource?.id,
    resource?.inputs?.["nonce"],
    resource?.outputs?.["srUuid"],
    lastPart(resource?.outputs?.["srPath"]),
  ]);
  const unfinished = operations.filter(isCreate).map(({ resource }) => resource?.inputs?.["nonce"]);
  return { held: new Set(held.filter(isText)), unfinished: new Set(unfinished.filter(isText)) };
}

const isText = (value: unknown) => typeof value === "string";

function lastPart(path: unknown): string | undefined {
  return typeof path === "string" ? path.slice(path.lastIndexOf("/") + 1) : undefined;
}
