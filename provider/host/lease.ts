import type { SharedConnection } from "../ssh/shared-connection";
import { type Folder, pathOf, renewMarkers } from "./folder";

/** A marker that was not renewed for a minute stands for a maker that is gone. */
const RENEWAL_MS = 10_000;

/** The folders in which this process works, of each host. */
const held = new Map<SharedConnection, Set<string>>();

/**
 * Keeps a folder's marker young while `work` goes on. One command touches those of all folders on a host, and
 * it comes from here, not from a loop over there: behind a link that is half open such a loop would go on for
 * hours.
 */
export async function whileLeased<T>(
  host: SharedConnection,
  folder: Folder,
  work: () => Promise<T>,
): Promise<T> {
  const path = pathOf(folder);
  const paths = held.get(host) ?? holdFoldersOf(host);
  paths.add(path);
  try {
    return await work();
  } finally {
    paths.delete(path);
    if (paths.size === 0) held.delete(host);
  }
}

function holdFoldersOf(host: SharedConnection): Set<string> {
  const paths = new Set<string>();
  held.set(host, paths);
  const timer = setInterval(() => {
    if (held.get(host) !== paths) clearInterval(timer);
    // A renewal that fails does no harm by itself: the work finds out what is wrong with the link.
    else renewMarkers(host, [...paths]).catch(() => undefined);
  }, RENEWAL_MS).unref();
  return paths;
}
