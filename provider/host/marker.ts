import { sh } from "../ssh/sh";
import type { SharedConnection } from "../ssh/shared-connection";
import { QUICK_TIMEOUT_MS } from "./error";
import { type Folder, pathOf } from "./folder";
import { remote } from "./remote";

/** A marker that was not renewed for a minute counts as abandoned. */
const RENEWAL_MS = 10_000;

/** For each host, the folders that this process works in. */
const held = new Map<SharedConnection, Set<string>>();

/**
 * Renews the marker of a folder while `work` runs. One command renews all markers on a host. The timer is here,
 * not on the host: behind a half-open link, a loop on the host would go on for hours.
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
    // A failed renewal does no harm: the work itself notices what is wrong with the link.
    else renewMarkers(host, [...paths]).catch(() => undefined);
  }, RENEWAL_MS).unref();
  return paths;
}

/**
 * Renews the markers of these folders, in the name of this SSH session. A new session replaces a lost one.
 *
 * @param paths absolute folders on the host
 */
export async function renewMarkers(host: SharedConnection, paths: readonly string[]): Promise<void> {
  const script = remote(sh`renew_markers ${paths}`);
  await host.exec(script, { purpose: "renew the markers", timeoutMs: QUICK_TIMEOUT_MS, isUrgent: true });
}

/** Whose create it is. A URN is not unique: stacks of two organizations can have the same one. */
export interface Owner {
  /** URN of the resource. */
  readonly owner: string;
  /** Of the stack; undefined where the program's class does not tell it, as with the plugin. */
  readonly organization?: string | undefined;
}

/** The owner as a marker has it: the URN, and behind a tab the organization. */
export const ownerText = ({ owner, organization }: Owner) =>
  organization === undefined ? owner : `${owner}\t${organization}`;

/**
 * The owner in the marker of a copy of a pool-wide disc to a host that lacks it: of no create, because the next create
 * of the same resource clears what its own marker names, and this folder's disc is in use. The folder takes the place
 * of the organization, so that copies of different discs do not block each other.
 */
export const copyOwner = ({ owner, folder }: { owner: string; folder: Folder }): Owner => ({
  owner: `${owner}${COPY}`,
  organization: folder.uuid,
});

/** Reads the owner of a marker: the URN. */
export function ownerIn(text: string): { owner: string; isCopy: boolean } {
  const [owner = ""] = text.split("\t");
  const isCopy = owner.endsWith(COPY);
  return { owner: isCopy ? owner.slice(0, -COPY.length) : owner, isCopy };
}

const COPY = " (copy)";
