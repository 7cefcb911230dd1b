/** One record as `xe …-list` prints it: field → value. */
export type XeRecord = Readonly<Record<string, string>>;

/** Reads the long form: a paragraph a record, a `name ( RO): value` line a field. */
export function parseRecords(stdout: string): XeRecord[] {
  return stdout
    .split(/\n\s*\n/)
    .map(
      (paragraph) =>
        Object.fromEntries(
          [...paragraph.matchAll(FIELD)].map(([, name, value]) => [name, value]),
        ) as XeRecord,
    )
    .filter((record) => Object.keys(record).length > 0);
}

/** The field's name, its access (`RO`, `RW`, `SRO`, `MRW` …) and the rest of the line. */
const FIELD = /^\s*([a-z][a-z0-9-]*) \(\s*[SM]?R[OW]\s*\)\s*: ?(.*)$/gm;

/** Reads a command that prints one UUID. */
export function parseUuid(stdout: string): string {
  const uuid = stdout.trim();
  if (!isUuid(uuid))
    throw new TypeError(`Expected a UUID from xe, got: ${JSON.stringify(uuid.slice(0, 200))}`);
  return uuid;
}

/** Whether a text is a UUID in the form that `xe` prints and compares: in lower case. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}
