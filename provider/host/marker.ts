import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { QUICK_TIMEOUT_MS } from "./error";
import { type Folder, pathOf } from "./folder";
import { remote } from "./remote";

/** A marker that was not renewed for a minute counts as abandoned. */
const RENEWAL_MS = 10_000;

/** The folders of each host in which this process works. */
const held = new Map<SharedConnection, Set<string>>();

/**
 * Keeps the marker of a folder fresh while `work` goes on. One command renews those of all folders on a host. It
 * comes from here, not from a loop on the host: behind a half-open link such a loop would go on for hours.
 */
export async function whileLeased<T>(
  host: SharedConnection,
  folder: Folder,
  work: () => Promise<T>,
): Promise<T> {
  const path = pathOf(folder);
  const paths = held.get(host) ?? renewFoldersOf(host);
  paths.add(path);
  try {
    return await work();
  } finally {
    paths.delete(path);
    if (paths.size === 0) held.delete(host);
  }
}

function renewFoldersOf(host: SharedConnection): Set<string> {
  const paths = new Set<string>();
  held.set(host, paths);
  const timer = setInterval(() => {
    if (held.get(host) !== paths) clearInterval(timer);
    // A failed renewal does no harm by itself: the work finds out what is wrong with the link.
    else renewMarkers(host, [...paths]).catch(() => undefined);
  }, RENEWAL_MS).unref();
  return paths;
}

/**
 * Says that this SSH session still works in these folders. A new session takes over from a lost one.
 *
 * @param paths absolute folders on the host
 */
export async function renewMarkers(host: SharedConnection, paths: readonly string[]): Promise<void> {
  const script = remote(sh`renew_markers ${paths}`);
  await host.exec(script, { purpose: "renew the markers", timeoutMs: QUICK_TIMEOUT_MS, isUrgent: true });
}
