/** What the functions of `remote/*.sh` return: an exit status, and `key=value` lines on standard output. */

/** Exit statuses, besides the shell's own. `remote/status.sh` has the same ones. */
export const EXIT = {
  /** No `xe`, or no `/etc/xensource-inventory`. */
  notXenServer: 3,
  folderFailed: 4,
  notRemoved: 5,
  /** Another create of the same resource is at work. */
  ownerBusy: 6,
  /** A killed create of the same resource left folders. */
  abandoned: 7,
  noRoom: 8,
  /** The image has to be uploaded. */
  notWhole: 9,
  xeFailed: 10,
  imageFailed: 11,
  markerStays: 12,
  otherHost: 13,
  /** The host could not download the image itself. */
  downloadFailed: 14,
} as const;

/** A line of output that asks whether anybody still waits for the disc. */
export const WANTED = { question: "wanted?", answer: "wanted\n" } as const;

/** Parses one `key=value` line; undefined for any other line. */
export function parseLine(line: string): { key: string; value: string } | undefined {
  const [, key, value = ""] = /^([A-Za-z0-9_-]+)=(.*)$/.exec(line) ?? [];
  return key === undefined ? undefined : { key, value };
}

/** Parses every `key=value` line of an output, in order. */
export function parseLines(stdout: string): { key: string; value: string }[] {
  return stdout.split("\n").flatMap((line) => parseLine(line) ?? []);
}

/** The value of the first line with this key; undefined if there is none. */
export function valueOf(stdout: string, key: string): string | undefined {
  return parseLines(stdout).find((line) => line.key === key)?.value;
}
