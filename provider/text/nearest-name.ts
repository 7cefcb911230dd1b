import { distance } from "fastest-levenshtein";

/**
 * Suggests a fix for an unknown `name`: the closest of `names`, or all of them if none is close. Ignores case,
 * `_` and `-`: `iso_path` is close to `isoPath`.
 */
export function nearestName(name: string, names: readonly string[]): string {
  const [nearest] = names
    .map((known) => ({ known, edits: distance(plain(known), plain(name)) }))
    .filter(({ edits }) => edits <= Math.ceil(name.length * 0.4))
    .sort((a, b) => a.edits - b.edits);
  return nearest ? `did you mean ${nearest.known}?` : `expected one of ${names.join(", ")}`;
}

const plain = (name: string) => name.toLowerCase().replaceAll(/[_-]/g, "");
