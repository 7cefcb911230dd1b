import type { SharedConnection } from "../ssh/shared-connection";
import { lines, sh } from "../ssh/sh";
import { FILE, type Folder, pathOf, QUICK_TIMEOUT_MS } from "./folder";
import { START_OF } from "./process";

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

/**
 * Says that this SSH session still works in these folders; a new one takes over from a lost one, under the lock
 * under which markers are read. A marker that is removed meanwhile stays away: nothing here makes a file. Nor does
 * it stand empty at any moment: it is written over, and what a shorter one leaves of the last line is none that counts.
 */
export async function renewMarkers(host: SharedConnection, paths: readonly string[]): Promise<void> {
  const script = lines(
    START_OF,
    sh`start_of $PPID
for folder in ${paths}; do
  (
    cd -- "$folder" 2>/dev/null && [ -f ${FILE.pending} ] || exit
    exec 9<.. && flock -w 15 9 || exit
    if grep -qx "session=$PPID" ${FILE.pending}; then touch -c ${FILE.pending}
    else
      marker=$(sed "s/^session=.*/session=$PPID/; s/^started=.*/started=$start/" ${FILE.pending}) &&
        dd of=${FILE.pending} conv=nocreat,notrunc status=none <<<"$marker"
    fi
  )
done`,
  );
  await host.exec(script, { purpose: "renew the markers", timeoutMs: QUICK_TIMEOUT_MS });
}
