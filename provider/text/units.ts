/*
 * Sizes and durations as people read them. Of the libraries for this, those that are kept up are ES modules only
 * (pretty-bytes, pretty-ms) or print other units than KiB and MiB; this is shorter than wrapping one.
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** `1.2 GiB`, `231 MiB`: three digits at most, in units of 1024. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.round(value) >= 1_000 && unit < UNITS.length - 1) {
    value /= 1_024;
    unit++;
  }
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit] ?? ""}`;
}

/** `3 s`, `12 min`, `3 h`, `2 d`, rounded up. */
export function durationText(seconds: number): string {
  if (seconds <= 99) return `${Math.ceil(Math.max(seconds, 0))} s`;
  if (seconds <= 99 * 60) return `${Math.ceil(seconds / 60)} min`;
  if (seconds <= 72 * 3_600) return `${Math.ceil(seconds / 3_600)} h`;
  return `${Math.ceil(seconds / 86_400)} d`;
}
