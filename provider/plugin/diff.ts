import { isDeepStrictEqual } from "node:util";
import type { Properties } from "./values";

/** How one property changes. */
export interface PropertyChange {
  readonly kind: "ADD" | "UPDATE" | "DELETE";
  readonly isReplace: boolean;
  /** Whether the program changed, not the host. */
  readonly isInput: boolean;
}

/** The arguments that lead to other content. The content itself is compared by its sha256. */
const CONTENT = ["isoPath", "isoUrl", "isoChecksum", "files", "volumeLabel"];

/** The inputs that identify the content of a disc. */
const IDENTITY = ["isoSha256", "isoIdentity"];

/**
 * The details of a diff for the engine: path of a property, `files["user-data"]`, to its change.
 *
 * @param replaces names of the properties that replace the resource, as `lifecycle/` found them
 */
export function detailsOf(
  olds: Properties,
  news: Properties,
  replaces: readonly string[],
): Map<string, PropertyChange> {
  const changes = new Map<string, PropertyChange>();
  const isContentNew = IDENTITY.some((name) => replaces.includes(name));
  for (const { path, kind } of changesIn(olds, news)) {
    const [name = ""] = path;
    if (IDENTITY.includes(name)) continue;
    const isReplace =
      replaces.includes(name) ||
      (isContentNew && CONTENT.includes(name)) ||
      (replaces.includes("host") && path.join(".") === "connection.host");
    changes.set(pathText(path), { kind, isReplace, isInput: true });
  }
  // Reasons that no input shows: other content of the same file, a lost disc, a new `xen:host`.
  const isShown = (name: string) =>
    [...changes].some(([path, { isReplace }]) => isReplace && isReasonFor(path, name));
  for (const name of replaces)
    if (!isShown(name)) changes.set(name, { kind: "UPDATE", isReplace: true, isInput: false });
  return changes;
}

/** The first property of a path: `files` of `files["user-data"]`. */
export function rootOf(path: string): string {
  return /^\w+/.exec(path)?.[0] ?? path;
}

/** Whether a changed input explains why a property replaces the resource. */
function isReasonFor(path: string, name: string): boolean {
  if (IDENTITY.includes(name)) return CONTENT.includes(rootOf(path));
  return name === "host" ? path === "connection.host" : rootOf(path) === name;
}

interface Change {
  readonly path: readonly string[];
  readonly kind: PropertyChange["kind"];
}

function changesIn(olds: Properties, news: Properties): Change[] {
  const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
  return names.flatMap((name): Change[] => {
    const [before, after] = [olds[name], news[name]];
    if (isDeepStrictEqual(before, after)) return [];
    if (before === undefined) return [{ path: [name], kind: "ADD" }];
    if (after === undefined) return [{ path: [name], kind: "DELETE" }];
    if (!isRecord(before) || !isRecord(after)) return [{ path: [name], kind: "UPDATE" }];
    return changesIn(before, after).map(({ path, kind }) => ({ path: [name, ...path], kind }));
  });
}

function pathText(path: readonly string[]): string {
  return path
    .map((name, index) => {
      if (!/^\w+$/.test(name)) return `[${JSON.stringify(name)}]`;
      return index === 0 ? name : `.${name}`;
    })
    .join("");
}

function isRecord(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
